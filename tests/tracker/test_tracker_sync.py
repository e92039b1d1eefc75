"""A whole account into MLflow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from at_hand import asker
from quirks import Quirks
from test_tracker_crash import wait_for, watch

from tracker import sync as sync_module
from tracker.cli import main

YEAR_AGO = 1_760_000_000


def account(server, jobs: int) -> None:
    """An account with history: jobs of every end on shared files, some files long gone."""
    files = [server.add_file(b"{}", f"set{n}.jsonl") for n in range(3)]
    for n in range(jobs):
        end = ("succeeded", "failed", "cancelled")[n % 3]
        training = files[n % 3] if n % 5 else "file-gone"
        server.add_job(steps=4, created_at=YEAR_AGO + n, end=end, training_file=training)


def sync(server, uri: str, *more: str) -> int:
    return main(["sync", "--base-url", server.url, "--tracking-uri", uri, *more])


POINTS = """SELECT t.value, m.key, m.step, m.value, m.timestamp FROM metrics m JOIN tags t USING (run_uuid)
WHERE t.key = 'job.id' ORDER BY 1, 2, 3, 4"""
RUNS = """SELECT t.value, r.status, r.start_time, r.end_time FROM runs r JOIN tags t USING (run_uuid)
WHERE t.key = 'job.id' ORDER BY 1"""
PARAMS = """SELECT t.value, p.key, p.value FROM params p JOIN tags t USING (run_uuid)
WHERE t.key = 'job.id' ORDER BY 1, 2"""
TAGS = """SELECT t.value, o.key, o.value FROM tags o JOIN tags t USING (run_uuid) WHERE t.key = 'job.id' ORDER BY 1, 2"""


def content_of(db) -> list:
    return [db(sql) for sql in (POINTS, RUNS, PARAMS, TAGS)]


def test_every_job_of_every_status_and_page(serve, uri, db, capsys):
    server = serve()
    account(server, 130)
    assert sync(server, uri) == 0
    assert dict(db("SELECT status, COUNT(*) FROM runs GROUP BY status")) == {
        "FINISHED": 44,
        "FAILED": 43,
        "KILLED": 43,
    }
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(130 * 4,)]
    names = {name for (name,) in db("SELECT name FROM experiments")}
    assert {"set0", "set1", "set2", "onprem jobs"} <= names
    told = capsys.readouterr().out
    assert "130 recorded now" in told
    assert "file-gone" in told


def test_a_second_sync_reads_only_the_list_and_changes_nothing(serve, uri, db, capsys):
    server = serve()
    account(server, 12)
    assert sync(server, uri) == 0
    before = content_of(db)
    server.requests.clear()
    server.add_job(steps=4, created_at=YEAR_AGO + 99)
    assert sync(server, uri) == 0
    assert sum("events" in request for request in server.requests) == 1
    after = content_of(db)
    assert [row for row in after[0] if row in before[0]] == before[0]
    assert len(after[1]) == 13


def test_what_could_not_be_read_is_named_and_read_the_next_time(serve, uri, db, capsys, monkeypatch):
    monkeypatch.setattr("tracker.polite.FIRST_WAIT_S", 0.01)
    server = serve()
    account(server, 6)
    server.quirks.storms = [("jobs/ftjob-5/events", 500, None)] * 8
    assert sync(server, uri) == 1
    assert "ftjob-5" in capsys.readouterr().out
    assert sync(server, uri) == 0
    assert db("SELECT COUNT(*) FROM runs") == [(6,)]
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(24,)]


def test_one_job_that_cannot_be_understood_ends_the_rescue_of_no_other(serve, uri, db, capsys, monkeypatch):
    server = serve()
    account(server, 6)
    real = sync_module.content
    monkeypatch.setattr(
        sync_module, "content", lambda raw, *rest: {}["x"] if raw.job["id"] == "ftjob-5" else real(raw, *rest)
    )
    assert sync(server, uri) == 1
    assert "ftjob-5: its answers cannot be read (KeyError" in capsys.readouterr().out
    assert db("SELECT COUNT(*) FROM runs") == [(5,)]


def test_a_wrong_key_is_a_failure_in_words(serve, uri, capsys):
    server = serve(Quirks(storms=[("GET", 401, None)]))
    assert sync(server, uri) == 1
    assert "401" in capsys.readouterr().err


def test_interrupted_and_resumed_it_has_the_content_of_one_that_was_not(serve, uri, db, tmp_path):
    server = serve(Quirks(duplicate_pages=True))
    account(server, 30)
    code = "import sys; from tracker.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sync", "--base-url", server.url, "--tracking-uri", uri]
    for target in (5, 15):
        process = subprocess.Popen(
            command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(
            lambda target=target: (
                (tmp_path / "mlruns/mlflow.db").exists() and db("SELECT COUNT(*) FROM runs")[0][0] >= target
            )
        )
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert sync(server, uri) == 0
    resumed = content_of(db)
    other = f"sqlite:///{tmp_path}/other/mlflow.db"
    assert sync(server, other) == 0
    assert content_of(asker(other)) == resumed
    assert db("SELECT COUNT(*) - COUNT(DISTINCT run_uuid || key || step) FROM metrics") == [(0,)]


def test_watch_and_sync_write_the_same(serve, uri, db, tmp_path):
    server = serve(steps=20, step_s=0.05)
    job_id = server.add_job()
    process = watch(server, uri, job_id)
    assert process.wait(90) == 0
    other = f"sqlite:///{tmp_path}/other/mlflow.db"
    assert sync(server, other) == 0
    assert content_of(asker(other)) == content_of(db)
