"""Nothing is paid for twice, whatever becomes of the answers."""

from __future__ import annotations

import pytest
from quirks import Quirks

from tracker import create as create_module
from tracker import drafts
from tracker.errors import Doubtful, InputError, ProviderError
from tracker.jobs import JobRequest

CREATE = "POST /fine_tuning/jobs$"
UPLOAD = "POST /files$"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(create_module, "SETTLE_S", (0.05, 0.1))
    monkeypatch.setattr("tracker.polite.FIRST_WAIT_S", 0.05)


TROUBLES = {
    "the answer is lost": Quirks(cut_after=[CREATE]),
    "made, then a 500": Quirks(fail_after=[CREATE]),
    "made, then a 500, and the filter is ignored": Quirks(fail_after=[CREATE], filters_metadata=False),
    "a 500 and nothing made": Quirks(storms=[(CREATE, 500, None)] * 2),
    "429 with Retry-After": Quirks(storms=[(CREATE, 429, 0.1)] * 3),
    "metadata is not kept and the answer is lost": Quirks(cut_after=[CREATE], keeps_metadata=False),
    "a lost answer to an upload": Quirks(cut_after=[UPLOAD]),
    "an upload cut before": Quirks(cut_before=[UPLOAD]),
    "uploads in a storm": Quirks(storms=[(UPLOAD, 503, 0.05)] * 2),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_one_job_is_made(name, serve, open_session, train, valid):
    server = serve(TROUBLES[name], steps=2, step_s=0.02)
    session = open_session(server)
    job = session.submit(JobRequest(train, valid, "m"), job_key="loop-1")
    assert server.posts == 1
    assert job.id in server.jobs
    assert len([f for f, _ in server.files.values() if f["purpose"] == "fine-tune"]) == 2


def test_asking_again_with_the_key_returns_the_same_job(serve, open_session, train):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server)
    first = session.submit(JobRequest(train, None, "m", {"n_epochs": 2}), job_key="loop-1")
    again = session.submit(JobRequest(train, None, "m", {"n_epochs": 9}), job_key="loop-1")
    assert (first.id, first.run_id) == (again.id, again.run_id)
    assert server.posts == 1


def test_a_doubtful_job_is_said_to_be_so_and_looked_up_first_next_time(serve, open_session, train, db):
    server = serve(Quirks(cut_before=[CREATE]), steps=2, step_s=0.02)
    session = open_session(server)
    with pytest.raises(Doubtful, match="loop-1"):
        session.submit(JobRequest(train, None, "m"), job_key="loop-1")
    assert server.posts == 0
    # The request was under way all the time, and the job appears late: it is found, not made again.
    late = server.add_job(metadata={"finetune_advisor.job": "loop-1"})
    assert session.submit(JobRequest(train, None, "m"), job_key="loop-1").id == late
    assert server.posts == 0
    assert db("SELECT COUNT(*) FROM runs") == [(1,)]


def test_files_are_sent_once(serve, open_session, train, valid):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server)
    for key in ("a-1", "a-2", "a-3"):
        session.submit(JobRequest(train, valid, "m"), job_key=key)
    assert server.posts == 3
    assert sum(request == "POST /files" for request in server.requests) == 2


def test_a_file_that_the_provider_lost_is_sent_again(serve, open_session, train):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server)
    session.submit(JobRequest(train, None, "m"), job_key="a-1")
    server.files.clear()
    session.submit(JobRequest(train, None, "m"), job_key="a-2")
    assert sum(request == "POST /files" for request in server.requests) == 2


def test_a_refusal_is_final_and_leaves_no_run(serve, open_session, train, db):
    server = serve(Quirks(storms=[(CREATE, 400, None)]))
    session = open_session(server)
    with pytest.raises(ProviderError, match="400") as caught:
        session.submit(JobRequest(train, None, "m"), job_key="a-1")
    assert "quoted private" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert server.posts == 0
    assert db("SELECT COUNT(*) FROM runs WHERE lifecycle_stage = 'active'") == [(0,)]
    assert "quoted private" not in str(db("SELECT value FROM tags"))


def test_the_same_request_without_a_key_goes_on_from_its_draft(serve, open_session, train, db):
    server = serve(Quirks(cut_before=[CREATE]), steps=2, step_s=0.02)
    session = open_session(server)
    with pytest.raises(Doubtful, match="--key job-") as caught:
        session.submit(JobRequest(train, None, "m", {"n_epochs": 2}))
    key = str(caught.value).split("--key ")[1].split()[0]
    late = server.add_job(metadata={"finetune_advisor.job": key})
    assert session.submit(JobRequest(train, None, "m", {"n_epochs": 3})).id != late  # another request
    assert session.submit(JobRequest(train, None, "m", {"n_epochs": 2})).id == late
    assert server.posts == 1
    # What is known to be made is no draft: asking for the same once more means a second job.
    assert session.submit(JobRequest(train, None, "m", {"n_epochs": 2})).id != late
    assert server.posts == 2


@pytest.mark.parametrize(("submitter", "gone_on"), [("alive", False), ("dead", True), ("elsewhere", False)])
def test_a_draft_is_left_to_the_process_that_works_on_it(submitter, gone_on, serve, open_session, train, db):
    who = {"alive": drafts.me(), "dead": drafts.me().split(":")[0] + ":4194999", "elsewhere": "other:4194999"}
    server = serve(Quirks(cut_before=[CREATE]), steps=2, step_s=0.02)
    session = open_session(server)
    with pytest.raises(Doubtful):
        session.submit(JobRequest(train, None, "m"))
    (run_id,) = db("SELECT run_uuid FROM runs")[0]
    session.set_tags(run_id, {drafts.SUBMITTER_TAG: who[submitter]})
    assert (session.submit(JobRequest(train, None, "m")).run_id == run_id) is gone_on


def test_a_list_that_fails_after_a_failed_create_decides_nothing(serve, open_session, train, db):
    lists = [("GET /fine_tuning/jobs$", 403, None)] * 2
    server = serve(Quirks(fail_after=[CREATE]), steps=2, step_s=0.02)
    session = open_session(server)
    create = server.add_job

    def then_no_list(**fields):
        server.quirks.storms = lists
        return create(**fields)

    server.add_job = then_no_list
    with pytest.raises(Doubtful):
        session.submit(JobRequest(train, None, "m"), job_key="a-1")
    assert session.submit(JobRequest(train, None, "m"), job_key="a-1").id in server.jobs
    assert server.posts == 1


def test_a_run_that_was_only_begun_is_completed(serve, open_session, train, db, monkeypatch):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server)
    with monkeypatch.context() as killed:
        killed.setattr(session.store, "set_status", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            session.submit(JobRequest(train, None, "m", {"n_epochs": 2}), job_key="a-1")
    assert db("SELECT COUNT(*) FROM params") == [(0,)]
    session.submit(JobRequest(train, None, "m", {"n_epochs": 2}), job_key="a-1")
    assert db("SELECT COUNT(*) FROM runs") == [(1,)]
    params = dict(db("SELECT key, value FROM params"))
    assert (params["requested.n_epochs"], params["n_train_examples"]) == ("2", "5")
    assert len(params["train_sha256"]) == 64


@pytest.mark.parametrize("log_data", [False, True])
def test_data_files_reach_mlflow_only_where_that_was_said(log_data, serve, open_session, train, tmp_path):
    server = serve(steps=2, step_s=0.02)
    open_session(server).submit(JobRequest(train, None, "m", log_data=log_data))
    kept = list((tmp_path / "mlruns").rglob("data/train.jsonl"))
    assert [path.read_bytes() for path in kept] == [train.read_bytes()] * log_data


def test_where_nobody_listens_the_address_is_named_soon_and_no_run_is_left(serve, open_session, train, db):
    server = serve()
    server.stop_listening()
    session = open_session(server)
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:\d+ .*--base-url"):
        session.submit(JobRequest(train, None, "m"))
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1:\d+ .*--base-url"):
        session.watch("ftjob-1")
    assert not session.store.runs()


def test_all_that_is_wrong_is_told_together_before_anything_is_sent(serve, open_session, tmp_path):
    server = serve()
    session = open_session(server)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\nnot json at all\n')
    with pytest.raises(InputError) as caught:
        session.submit(JobRequest(bad, tmp_path / "none.jsonl", "m", {"n_epochs": 999, "learning_rate": 0.1}))
    told = "\n".join(caught.value.problems)
    assert all(part in told for part in ("line 1", "line 2", "none.jsonl", "n_epochs", "learning_rate"))
    assert "not json at all" not in told
    assert server.requests == []
