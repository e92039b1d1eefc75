"""kill -9, MLflow away, a full spool: every point arrives once all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from quirks import Quirks

from tracker.cli import main
from tracker.commands.shared import told_aside
from tracker.errors import Refused, StoreAway, TrackerError
from tracker.spool import Spool
from tracker.writer import Writer

WATCH = "import sys; from tracker.cli import main; sys.exit(main(sys.argv[1:]))"


def watch(server, uri, *jobs, **env) -> subprocess.Popen:
    command = [sys.executable, "-c", WATCH, "watch", *jobs, "--base-url", server.url, "--tracking-uri", uri]
    return subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_kill_9_of_the_watcher_at_any_moment(serve, uri, db, tmp_path):
    server = serve(Quirks(duplicate_pages=True, shuffle_pages=True), steps=150, step_s=0.06)
    job_id = server.add_job()

    def points() -> int:
        if not (tmp_path / "mlruns/mlflow.db").exists():
            return 0
        return db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'")[0][0]

    for target in (1, 60):
        process = watch(server, uri, job_id)
        wait_for(lambda target=target: points() >= target)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = watch(server, uri, job_id)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert db("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step") == [
        (k,) for k in range(1, 151)
    ]
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert db("SELECT COUNT(*) FROM runs") == [(1,)]


def test_two_watchers_at_once(serve, uri, db):
    server = serve(steps=30, step_s=0.1)
    job_id = server.add_job()
    both = [watch(server, uri, job_id) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert db("SELECT COUNT(*) FROM runs") == [(1,)]
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(30,)]


def test_points_wait_in_the_spool_while_mlflow_is_away(serve, open_session, db):
    server = serve(steps=30, step_s=0.05)
    session = open_session(server)
    store, away = session.store, threading.Event()
    away.set()
    real = store.client.log_batch

    def flaky(*args, **named):
        if away.is_set():
            raise StoreAway("MLflow does not answer (test).")
        return real(*args, **named)

    store.client.log_batch = flaky
    job = session.watch(server.add_job())
    follow = threading.Thread(target=session.follow, args=([job],))
    follow.start()
    wait_for(lambda: job.done)
    assert session.spool.waiting() > 0
    assert db("SELECT COUNT(*) FROM metrics") == [(0,)]
    away.clear()
    follow.join(60)
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(30,)]
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert session.spool.waiting() == 0


def test_what_waits_at_the_end_is_told_and_carried_over_by_the_next_command(serve, uri, db, caplog):
    from tracker.session import Session

    server = serve(steps=5, step_s=0.02)
    session = Session(server.url, "k", None, uri)
    session.store.client.log_batch = lambda *args, **named: 1 / 0  # MLflow is away
    job = session.watch(server.add_job())
    session.writer.flush = lambda *args, **named: False  # no waiting for what will not come
    with pytest.raises(StoreAway, match="wait in"):  # who reads the run next would take half for the whole
        session.follow([job])
    assert not session.close(1)
    assert "wait in" in caplog.text
    with Session(server.url, "k", None, uri) as later:
        assert later.writer.flush(30)
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(5,)]


def test_the_advisors_note_stays(serve, open_session, db):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    job_id = server.add_job()
    session.follow([session.watch(job_id)])
    (run_id,) = db("SELECT run_uuid FROM runs")[0]
    session.set_tags(run_id, {"mlflow.note.content": "advice"})
    session.follow([session.watch(job_id)])
    assert db("SELECT value FROM tags WHERE key = 'mlflow.note.content'") == [("advice",)]


def test_what_waits_survives_the_process(tmp_path):
    spool = Spool(tmp_path / "spool.db", "store")
    spool.put("run:1", [("points", [["train_loss", 1, 0.5, 7]]), ("tags", {"a": "b"})])
    spool.close()
    again = Spool(tmp_path / "spool.db", "store")
    assert [(e.target, e.kind) for e in again.oldest()] == [("run:1", "points"), ("run:1", "tags")]
    assert Spool(tmp_path / "spool.db", "another store").oldest() == []


def test_a_full_spool_stops_the_reading_and_loses_nothing(serve, open_session, db):
    server = serve(steps=60, step_s=0.02)
    session = open_session(server)
    session.spool.limit = 200  # bytes: full after any batch
    session.follow([session.watch(server.add_job())])
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(60,)]


def test_an_entry_that_mlflow_never_takes_holds_up_nobody(uri, tmp_path):
    from tracker.mlflow_store import MlflowStore

    store = MlflowStore(uri)
    run_id = store.create_run("e", "r", {}, 0)
    spool = Spool(tmp_path / "mlruns/spool.db", uri)
    spool.put("run:nobody", [("tags", {"a": "b"})])
    spool.put("run:" + run_id, [("kind of another version", 1), ("tags", {"a": "b"})])
    writer = Writer(spool, lambda: store)
    assert writer.close(20)
    assert store.run(run_id).data.tags["a"] == "b"
    assert spool.oldest() == []
    assert [target for _, target, _ in spool.refusals()] == ["run:nobody", "run:" + run_id]
    assert spool.refusals(after=2) == []


def test_a_run_that_lacks_something_does_not_end_and_is_told(serve, open_session, db, capsys, uri):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    real = session.store.log_texts
    session.store.log_texts = lambda *args: {}["a paper that MLflow refuses"]
    job_id = server.add_job(created_at=1_760_000_000)
    session.follow([session.watch(job_id)])
    assert "KeyError" in session.set_aside()[0]
    assert told_aside(session)
    assert "not whole" in capsys.readouterr().err
    assert db("SELECT status FROM runs") == [("RUNNING",)]
    session.store.log_texts = real
    assert main(["sync", "--base-url", server.url, "--tracking-uri", uri]) == 0
    assert db("SELECT status FROM runs") == [("FINISHED",)]


def test_a_store_that_can_never_be_opened_is_told_to_who_waits(tmp_path):
    def refuse():
        raise Refused("no such store")

    spool = Spool(tmp_path / "spool.db", "foo://x")
    spool.put("run:1", [("tags", {"a": "b"})])
    writer = Writer(spool, refuse)
    with pytest.raises(TrackerError, match="no such store"):
        writer.flush(20)
    assert not writer.close(5)


@pytest.mark.parametrize("tied", [True, False])
def test_a_run_that_another_process_made_later_is_found(tied, uri, tmp_path, db):
    """A daemon's writer has looked at the store before a submission elsewhere made the run."""
    from tracker.mlflow_store import MlflowStore

    store = MlflowStore(uri)
    writer = Writer(Spool(tmp_path / "mlruns/spool.db", uri), lambda: store)

    def opened(job_id, **tags):
        body = {"experiment": "e", "name": job_id, "start": 1, "tags": {"job.id": job_id, **tags}}
        writer.spool.put(f"job:h/{job_id}", [("open", body), ("tags", {"x": "y"})])
        assert writer.flush(20)

    opened("j0")
    run_id = store.create_run("e", "loop 1", {"finetune_advisor.job": "k-1"}, 1)
    if tied:
        store.set_tags(run_id, {"job.id": "j1"})
    opened("j1", **{"finetune_advisor.job": "k-1"})
    assert writer.close(20)
    assert db("SELECT COUNT(*) FROM runs") == [(2,)]
    assert store.run(run_id).data.tags["x"] == "y"
    assert store.run(run_id).data.tags["job.id"] == "j1"


def test_what_waits_for_another_store_fills_only_its_own_spool(tmp_path):
    dead = Spool(tmp_path / "spool.db", "http://dead", limit_bytes=50)
    dead.put("run:1", [("tags", {"a": "b" * 100})])
    assert dead.full
    assert not Spool(tmp_path / "spool.db", "alive", limit_bytes=50).full


def test_the_provider_is_killed_and_comes_back(serve, open_session, db):
    server = serve(steps=40, step_s=0.15)
    session = open_session(server)
    job = session.watch(server.add_job())
    follow = threading.Thread(target=session.follow, args=([job],))
    follow.start()
    wait_for(lambda: (job.step or 0) >= 5)
    server.stop_listening()
    time.sleep(1.5)
    server.listen_again()
    follow.join(60)
    assert db("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step") == [
        (k,) for k in range(1, 41)
    ]


def test_a_daemon_follows_jobs_as_they_appear(serve, uri, db, tmp_path):
    server = serve()
    server.add_job(steps=50, step_s=0.4)
    process = watch(server, uri, "--daemon")
    finished = "SELECT COUNT(*) FROM runs WHERE status = 'FINISHED'"
    wait_for(lambda: (tmp_path / "mlruns/mlflow.db").exists() and db(finished) == [(1,)])
    server.add_job(steps=3, step_s=0.02)  # appears and ends between two looks
    wait_for(lambda: db(finished) == [(2,)])
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 1


def test_the_run_that_has_waited_longest_is_served_first_and_whole(tmp_path):
    spool = Spool(tmp_path / "spool.db", "store")
    for target, value in (("a", 1), ("b", 2), ("a", 3)):
        spool.put(target, [("tags", {"x": value})])
    first = spool.oldest()
    assert [entry.body["x"] for entry in first] == [1, 3]
    assert [entry.target for entry in spool.oldest({"a"})] == ["b"]
    spool.drop(first)
    assert [entry.target for entry in spool.oldest()] == ["b"]


def test_a_checkpoint_whose_registering_was_cut_off_is_completed(uri, db, monkeypatch):
    from tracker.mlflow_store import MlflowStore

    store = MlflowStore(uri)
    run_id = store.create_run("e", "r", {}, 0)
    with monkeypatch.context() as killed:
        killed.setattr(store.client, "finalize_logged_model", lambda *args: 1 / 0)
        with pytest.raises(StoreAway):
            store.log_checkpoints(run_id, [{"model": "m:5", "step": 5}])
    for _ in range(2):
        store.log_checkpoints(run_id, [{"model": "m:5", "step": 5}])
    assert [model.status for model in store._logged_models(run_id)] == ["READY"]
