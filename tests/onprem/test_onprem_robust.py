"""Bad luck at bad moments: full disks, limits met by two at once, cancels while a worker lets go."""

import errno
import os
import sqlite3
import tempfile
import threading

import pytest
from fastapi.testclient import TestClient
from onprem_server import chat_rows
from test_onprem_queue import queue, stored

from onprem.server import app
from onprem.server.context import Limits
from onprem.store import files as file_rows
from onprem.store import jobs as job_rows
from onprem.training import checkpoint
from onprem.workers.pool import TrainingPool

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def web(folder, monkeypatch):
    """The application without workers."""
    monkeypatch.setattr(TrainingPool, "poke", lambda pool: None)
    monkeypatch.setattr("onprem.workers.sampler.Sampler.warm", lambda sampler: None)
    application = app.create_app(folder, limits=Limits(tenant_bytes=3000))
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def send(web, content):
    return web.post("/v1/files", data={"purpose": "fine-tune"}, files={"file": ("x.jsonl", content)})


def full(*args):
    raise FULL


DISKS = {
    "while it comes": (tempfile.SpooledTemporaryFile, "write", full),
    "while it is copied": (os, "fsync", full),
    "while it is told to the store": (
        file_rows, "insert", lambda *a, **k: (_ for _ in ()).throw(sqlite3.OperationalError("database or disk is full"))
    ),
}  # fmt: skip


class PostgresDiskFull(Exception):
    """As psycopg tells it."""

    sqlstate = "53100"


DISKS["of PostgreSQL"] = (file_rows, "insert", lambda *a, **k: (_ for _ in ()).throw(PostgresDiskFull()))


@pytest.mark.parametrize("moment", DISKS)
def test_a_disk_that_is_full_refuses_the_upload_and_keeps_nothing_of_it(web, folder, db, monkeypatch, moment):
    with monkeypatch.context() as patched:
        patched.setattr(*DISKS[moment])
        answer = send(web, chat_rows(3))
    assert answer.status_code == 507
    assert answer.json()["error"]["code"] == "disk_full"
    assert "Ask the operator to make room" in answer.json()["error"]["message"]
    assert not list(folder.files.iterdir())
    assert db.check() == "ok"
    assert send(web, chat_rows(3)).status_code == 200, "the next one is taken"


def test_other_errors_of_the_system_stay_the_servers_own(web, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
    assert send(web, chat_rows(3)).status_code == 500


def test_uploads_at_once_do_not_pass_the_limit_together(web, folder, db):
    content, answers = chat_rows(10), []
    assert 1000 < len(content) < 1500, "two fit, three do not"
    threads = [threading.Thread(target=lambda: answers.append(send(web, content))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status_code for a in answers) == [200, 200, 413, 413, 413, 413]
    assert len(list(folder.files.iterdir())) == 2, "what was refused is not kept"


def test_the_room_is_counted_where_the_file_is_added(db, folder):
    stored(db, folder, "one")
    row = {"id": "two", "tenant": "a", "filename": "f", "bytes": 9, "purpose": "batch", "created_at": 1}
    row |= {"expires_at": None, "sha256": "", "format": None, "n_examples": None}
    assert file_rows.add(db, row, room=9) is None
    assert file_rows.add(db, row, room=10)["id"] == "two"


def test_the_job_limit_is_counted_where_the_job_is_added(db):
    queue(db, "one")
    row = {"id": "two", "tenant": "a", "validation_file": None, "metadata": None}
    assert job_rows.create(db, row, at_most=1) is None


def interrupted(db, folder, status, worker=None):
    """Leave a job with a checkpoint that is good for going on alone; returns the checkpoint's folder."""
    queue(db, "ftjob-1", tenant="personal")
    values = {"status": status, "worker": worker, "method": {"type": "supervised", "hyperparameters": {}}}
    with db.transaction() as connection:
        job_rows.update(connection, "ftjob-1", **values)
    saved = checkpoint.folder_of(folder.job("ftjob-1"), 5)
    saved.mkdir(parents=True)
    (saved / "optimizer.pt").write_bytes(b"x" * 100)
    checkpoint.seal(folder.job("ftjob-1"), 5)
    return saved


def test_a_job_that_was_cancelled_before_its_server_died_keeps_no_checkpoint(folder, db):
    saved = interrupted(db, folder, "cancelled", "of the dead server")
    TrainingPool(db, folder).recover()
    assert job_rows.get(db, None, "ftjob-1")["worker"] is None
    assert not saved.exists()


def test_a_cancel_while_its_worker_lets_go_leaves_no_checkpoint(folder, db, monkeypatch):
    saved = interrupted(db, folder, "paused", "w")
    release = job_rows.release

    def cancelled_first(*arguments):
        job_rows.move(db, "ftjob-1", ("paused",), "cancelled", "message:cancelled", "The job was cancelled")
        release(*arguments)

    monkeypatch.setattr(job_rows, "release", cancelled_first)
    checkpoint.let_go(db, folder, "ftjob-1", "w")
    assert not saved.exists()


def test_a_paused_job_that_is_cancelled_keeps_no_checkpoint_to_go_on_from(web, folder, db):
    saved = interrupted(db, folder, "paused")
    assert web.post("/v1/fine_tuning/jobs/ftjob-1/cancel").json()["status"] == "cancelled"
    assert not saved.exists()
