"""The provider's oddities, one by one: what reaches MLflow is the same."""

from __future__ import annotations

import time

import pytest
from quirks import Quirks

from tracker import follow as follow_module
from tracker.errors import ProviderError

STEPS = 45  # more than one page of a provider that serves 20 at most

ODDITIES = {
    "none": Quirks(),
    "pages that overlap": Quirks(duplicate_pages=True),
    "pages in any order": Quirks(shuffle_pages=True),
    "both": Quirks(duplicate_pages=True, shuffle_pages=True),
    "has_more missing": Quirks(no_has_more=True),
    "after ignored": Quirks(ignore_after=True),
    "placeholders -1": Quirks(placeholder=-1),
    "an unknown status": Quirks(statuses={"running": "warming_up"}),
    "a storm of 429": Quirks(
        storms=[("GET .*events", 429, 0.2)] * 3 + [("GET /fine_tuning/jobs/[^/]+$", 429, 0.1)] * 2
    ),
    "a storm of 500": Quirks(storms=[("GET", 500, None)] * 3 + [("GET", 503, 0.1)] * 2),
    "cut connections": Quirks(
        cut_before=["GET .*events"] * 2, cut_after=["GET /fine_tuning/jobs/[^/]+$"] * 2
    ),
    "base64 results": Quirks(csv_base64=True),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_every_point_arrives_once(name, serve, open_session, db):
    server = serve(ODDITIES[name], steps=STEPS, step_s=0.02)
    session = open_session(server)
    job = session.watch(server.add_job())
    session.follow([job])
    rows = db("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step")
    assert rows == [(step,) for step in range(1, STEPS + 1)]
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert job.status == "succeeded"


def test_steps_told_in_messages_only(serve, open_session, db):
    server = serve(Quirks(steps_in_message_only=True), steps=6, step_s=0.02)
    session = open_session(server)
    session.follow([session.watch(server.add_job())])
    assert len(db("SELECT 1 FROM metrics WHERE key = 'train_loss'")) == 6


def test_without_an_events_route_the_result_file_tells_the_losses(serve, open_session, db, caplog):
    server = serve(Quirks(missing=("events", "checkpoints")), steps=6, step_s=0.02)
    session = open_session(server)
    session.follow([session.watch(server.add_job())])
    assert len(db("SELECT 1 FROM metrics WHERE key = 'train_loss'")) == 6
    assert "no events route" in caplog.text
    assert db("SELECT value FROM tags WHERE key = 'job.missing'") == [("events, checkpoints",)]


def test_warnings_of_the_provider_stand_in_the_runs_note_without_what_they_quote(
    serve, open_session, db, caplog
):
    server = serve(steps=4, step_s=0.02)
    job_id = server.add_job()
    for number in (1, 2):  # told twice, noted once
        warning = {"id": f"ev-w{number}", "created_at": int(time.time()), "type": "message", "level": "warn",
                   "message": "Moderation removed 2 examples, such as 'my secret diary entry'", "data": {}}  # fmt: skip
        server.jobs[job_id].plan.insert(0, (0.0, warning))
    session = open_session(server)
    session.follow([session.watch(job_id)])
    ((note,),) = db("SELECT value FROM tags WHERE key = 'mlflow.note.content'")
    assert note.count("Warning: Moderation removed 2 examples") == 1
    assert "diary" not in note + caplog.text


@pytest.mark.parametrize(("end", "run_status"), [("failed", "FAILED"), ("cancelled", "KILLED")])
def test_jobs_that_end_badly_are_recorded_with_their_reason(end, run_status, serve, open_session, db):
    server = serve(steps=6, step_s=0.02)
    session = open_session(server)
    job = session.watch(server.add_job(end=end))
    session.follow([job])
    assert db("SELECT status FROM runs") == [(run_status,)]
    assert len(db("SELECT 1 FROM metrics WHERE key = 'train_loss'")) == 6
    if end == "failed":
        (reason,) = db("SELECT value FROM tags WHERE key = 'job.error'")[0]
        assert "bad" in reason
        everything = str(db("SELECT value FROM tags")) + str(db("SELECT value FROM params"))
        assert "diary" not in everything


def test_nothing_private_reaches_an_artifact(serve, open_session, tmp_path):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    session.follow([session.watch(server.add_job(end="failed"))])
    files = [path for path in (tmp_path / "mlruns/artifacts").rglob("*") if path.is_file()]
    assert {"job.json", "events.jsonl"} <= {path.name for path in files}
    assert not [path for path in files if "diary" in path.read_text()]


def test_a_paused_job_waits_and_goes_on(serve, open_session, db):
    server = serve(Quirks(statuses={"running": "paused"}), steps=60, step_s=0.1)
    session = open_session(server)
    job = session.watch(server.add_job())
    seen = set()
    session.follow([job], on_update=lambda job: seen.add(job.status))
    assert "paused" in seen
    assert job.status == "succeeded"


def test_points_are_in_mlflow_within_two_seconds_of_their_event(serve, open_session, db):
    server = serve(steps=40, step_s=0.15)
    session = open_session(server)
    session.store  # noqa: B018  loading MLflow is not what is measured here
    job_id = server.add_job()
    served = server.jobs[job_id]
    visible = {event["data"]["step"]: served.begun + at for at, event in served.plan}
    arrived: dict[int, float] = {}

    def note(_):
        session.writer.flush(2)
        for (step,) in db("SELECT step FROM metrics WHERE key = 'train_loss'"):
            arrived.setdefault(step, time.time())

    session.follow([session.watch(job_id)], on_update=note)
    lags = [arrived[step] - visible[step] for step in arrived]
    assert len(lags) == 40
    assert max(lags) < 2.0


def test_stop_returns_at_once_and_leaves_the_job(serve, open_session):
    server = serve(steps=600, step_s=0.1)
    session = open_session(server)
    job = session.watch(server.add_job())
    begun = time.monotonic()
    session.follow([job], stop=lambda: time.monotonic() - begun > 1.0)
    assert time.monotonic() - begun < 8.0
    assert not job.done


def test_events_that_come_late_are_no_missing_route(serve, open_session, caplog):
    server = serve(Quirks(storms=[("GET .*events", 404, None)] * 2), steps=30, step_s=0.1)
    session = open_session(server)
    steps = []
    session.follow(
        [session.watch(server.add_job())], on_update=lambda job: steps.append((job.status, job.step))
    )
    assert any(status == "running" and step for status, step in steps)
    assert "no events route" not in caplog.text


def test_a_job_that_vanishes_ends_the_following_of_no_other(serve, open_session, db):
    server = serve(steps=30, step_s=0.05)
    session = open_session(server)
    stays, goes = (session.watch(server.add_job()) for _ in range(2))

    def vanish(job):
        if job is stays and (job.step or 0) > 5:
            server.jobs.pop(goes.id, None)

    session.follow([stays, goes], on_update=vanish)
    assert (stays.status, goes.status) == ("succeeded", "lost")
    told = "SELECT r.status, o.value FROM runs r JOIN tags t USING (run_uuid) JOIN tags o USING (run_uuid)"
    where = (
        f"{told} WHERE t.key = 'job.id' AND t.value = '{goes.id}' AND o.key IN ('job.status', 'job.error')"
    )
    assert {status for status, _ in db(where)} == {"KILLED"}
    assert "lost" in {value for _, value in db(where)}
    assert any("404" in value for _, value in db(where))
    assert "404" in goes.error
    (record,) = session.records(goes.id)
    assert record["status"] == "cancelled"


@pytest.mark.parametrize("trouble", ["refused", "unreadable"])
def test_trouble_with_one_job_ends_the_following_of_no_other(trouble, serve, open_session, monkeypatch):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    stays, troubled = (session.watch(server.add_job()) for _ in range(2))
    if trouble == "refused":
        server.quirks.storms = [(f"{troubled.id}$", 403, None)]
    else:
        real = follow_module.take_note

        def odd(job, *rest):
            return {}["odd"] if job is troubled else real(job, *rest)

        monkeypatch.setattr(follow_module, "take_note", odd)
    seen = []
    session.follow([stays, troubled], on_update=lambda job: seen.append((job.id, job.status)))
    assert (stays.status, troubled.status) == ("succeeded", "lost")
    assert (troubled.id, "lost") in seen


def test_a_refused_key_ends_the_following_with_the_reason(serve, open_session):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    job = session.watch(server.add_job())
    server.quirks.storms = [("GET", 403, None)] * 9
    with pytest.raises(ProviderError, match="403"):
        session.follow([job])


def test_a_data_file_that_may_not_be_seen_is_as_good_as_gone(serve, open_session):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    job_id = server.add_job(training_file="file-1")
    server.quirks.storms = [("GET /files/file-1$", 403, None)] * 2
    (job,) = session.follow([session.watch(job_id)])
    assert job.status == "succeeded"


def test_a_revoked_key_is_an_error(serve, open_session):
    server = serve(steps=30, step_s=0.05)
    session = open_session(server)
    job = session.watch(server.add_job())
    server.quirks.storms = [("GET .*events", 401, None)]
    with pytest.raises(ProviderError, match="401"):
        session.follow([job])
