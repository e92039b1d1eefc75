"""kill -9 and others at work at the same time: every point arrives once all the same."""

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
from tracker.errors import StoreAway
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


def test_the_advisors_note_stays(serve, open_session, db):
    server = serve(steps=3, step_s=0.02)
    session = open_session(server)
    job_id = server.add_job()
    session.follow([session.watch(job_id)])
    (run_id,) = db("SELECT run_uuid FROM runs")[0]
    session.set_tags(run_id, {"mlflow.note.content": "advice"})
    session.follow([session.watch(job_id)])
    assert db("SELECT value FROM tags WHERE key = 'mlflow.note.content'") == [("advice",)]


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
