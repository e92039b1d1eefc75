"""A tuning loop in MLflow: found again, gone on with, summed up."""

from __future__ import annotations

import pytest

from tracker import JobRequest, find_loop, loops, records
from tracker.errors import InputError

SPEC = {"model": "m", "train": "train.jsonl", "max_jobs": 4}


@pytest.fixture
def session(serve, open_session):
    server = serve(steps=4, step_s=0.02)
    return open_session(server)


def run_job(session, loop, number, train):
    job = session.submit(JobRequest(train, None, "m"), loop=loop, job_key=f"{loop.run_id[:12]}-{number}")
    session.follow([job])
    return job


def test_a_loop_is_found_by_its_name_with_its_jobs_in_order(session, train, uri):
    assert find_loop("tune", tracking_uri=uri) is None
    loop = session.start_loop("tune", "exp", SPEC)
    jobs = [run_job(session, loop, number, train) for number in (1, 2)]
    again = session.start_loop("tune", "exp", SPEC)
    assert again.run_id == loop.run_id
    assert [(job.id, job.number, job.status) for job in again.jobs] == [
        (jobs[0].id, 1, "succeeded"),
        (jobs[1].id, 2, "succeeded"),
    ]
    assert again.spec == SPEC
    assert [each.run_id for each in loops(tracking_uri=uri)] == [loop.run_id]


def test_a_new_loop_of_the_name_is_the_one_found(session, uri):
    first = session.start_loop("tune", "exp", SPEC)
    second = session.start_loop("tune", "exp", SPEC, new=True)
    assert second.run_id != first.run_id
    assert find_loop("tune", tracking_uri=uri).run_id == second.run_id


def test_the_parent_shows_every_jobs_summary_by_its_number(session, train, db):
    loop = session.start_loop("tune", "exp", SPEC)
    for number in (1, 2):
        run_job(session, loop, number, train)
    shown = "SELECT step, key FROM metrics WHERE run_uuid = ? AND key IN ('best_full_valid_loss', 'trained_tokens') ORDER BY 1, 2"
    expected = [(step, key) for step in (1, 2) for key in ("best_full_valid_loss", "trained_tokens")]
    assert db(shown, loop.run_id) == expected
    again = session.reload(loop).jobs[0]
    again.status = "unknown"
    session.follow([again])
    assert db(shown, loop.run_id) == expected


def test_finished_and_opened_again(session, train, db):
    loop = session.start_loop("tune", "exp", SPEC)
    run_job(session, loop, 1, train)
    session.finish_loop(loop, {"best": 1.5}, "# Story")
    found = session.reload(loop)
    assert found.finished
    assert (found.tags["loop.best"], found.tags["mlflow.note.content"]) == ("1.5", "# Story")
    assert not session.reopen_loop(loop).finished


def test_tags_are_there_when_set_returns(session):
    loop = session.start_loop("tune", "exp", SPEC)
    session.set_tags(loop.run_id, {"loop.job.1": "{}"})
    assert session.reload(loop).tags["loop.job.1"] == "{}"


def test_a_spec_that_mlflow_cannot_keep_is_refused(session):
    with pytest.raises(InputError, match="8000"):
        session.start_loop("big", "exp", {"text": "x" * 9000})


def test_records_of_a_loop_carry_our_keys(session, train, uri):
    loop = session.start_loop("tune", "exp", SPEC)
    job = run_job(session, loop, 1, train)
    (record,) = records(run_id=loop.run_id, tracking_uri=uri)
    assert (record["key"], record["run_id"], record["experiment"]) == (job.key, job.run_id, "exp")
