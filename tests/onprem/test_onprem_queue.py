"""The queue: fair between tenants, priorities first, each job taken once; and the store's promises."""

import asyncio
import os
import threading
import time

import pytest

from onprem.store import Database
from onprem.store import events as event_rows
from onprem.store import files as file_rows
from onprem.store import jobs as job_rows


def queue(db, job_id, tenant="a", priority=0):
    row = {
        "id": job_id, "tenant": tenant, "model": "m", "status": "queued", "created_at": 1, "training_file": "f",
        "validation_file": None, "suffix": None, "seed": 1, "method": {}, "hyperparameters": {},
        "priority": priority,
    }  # fmt: skip
    job_rows.create(db, row)


def served(db, n):
    """Claim and finish n jobs one after the other; return their ids."""
    ids = []
    for _ in range(n):
        job = job_rows.claim(db, "w")
        job_rows.move(db, job["id"], ("running",), "succeeded", "message:succeeded", "done")
        job_rows.release(db, job["id"])
        ids.append(job["id"])
    return ids


def test_oldest_first(db):
    for name in ("one", "two", "three"):
        queue(db, name)
    assert served(db, 3) == ["one", "two", "three"]


def test_tenants_take_turns(db):
    for i in range(3):
        queue(db, f"a{i}", "a")
    queue(db, "b0", "b")
    queue(db, "c0", "c")
    assert served(db, 5) == ["a0", "b0", "c0", "a1", "a2"]


def test_priority_goes_first(db):
    queue(db, "low", priority=-1)
    queue(db, "plain")
    queue(db, "high", priority=5)
    assert served(db, 3) == ["high", "plain", "low"]


def test_each_job_is_taken_once_by_many_workers(db):
    for i in range(30):
        queue(db, str(i))
    taken, lock = [], threading.Lock()

    def work(name):
        while job := job_rows.claim(db, name):
            with lock:
                taken.append(job["id"])

    workers = [threading.Thread(target=work, args=(str(i),)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken, key=int) == [str(i) for i in range(30)]


def test_released_while_running_goes_back_to_the_queue(db):
    queue(db, "one")
    job_rows.claim(db, "w")
    job_rows.release(db, "one")
    assert job_rows.status(db, "one") == "queued"
    assert job_rows.claim(db, "v")["id"] == "one"


def test_released_after_a_cancel_stays_cancelled(db):
    queue(db, "one")
    job_rows.claim(db, "w")
    assert job_rows.move(db, "one", ("running",), "cancelled", "message:cancelled", "The job was cancelled")
    job_rows.release(db, "one")
    assert job_rows.status(db, "one") == "cancelled"
    assert job_rows.claim(db, "w") is None


def test_an_event_is_kept_once_and_none_after_the_end(db):
    queue(db, "one")
    with db.transaction() as connection:
        assert event_rows.add_event(connection, "one", "metrics:1", "Step 1", data={"step": 1})
        assert not event_rows.add_event(connection, "one", "metrics:1", "Step 1 again", data={"step": 1})
    job_rows.move(db, "one", ("queued",), "cancelled", "message:cancelled", "The job was cancelled")
    with db.transaction() as connection:
        assert not event_rows.add_event(connection, "one", "metrics:2", "Step 2", data={"step": 2})
    assert [d["step"] for d in event_rows.metrics(db, "one")] == [1]


def test_a_move_out_of_another_status_is_refused(db):
    queue(db, "one")
    assert not job_rows.move(db, "one", ("paused",), "queued", "message:queued", "resumed")
    assert job_rows.fail(db, "one", "code", "why")
    assert not job_rows.fail(db, "one", "code", "again")
    assert job_rows.get(db, None, "one")["error"]["message"] == "why"


def test_a_failed_transaction_leaves_nothing(db):
    queue(db, "one")

    def half_done() -> None:
        with db.transaction() as connection:
            job_rows.update(connection, "one", status="running")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert job_rows.status(db, "one") == "queued"


def test_a_job_that_cannot_be_validated_fails_and_the_server_starts(db, folder, tmp_path, monkeypatch):
    from fastapi.testclient import TestClient

    from onprem.server import app, creation

    for job_id, file_id in (("gone", "there"), ("barred", "unreadable")):
        queue(db, job_id)
        with db.transaction() as connection:
            job_rows.update(connection, job_id, status="validating_files", training_file=file_id)
        stored(db, folder, file_id)

    def digest(path):
        if path.name == "unreadable":
            raise PermissionError(path)
        return ""

    monkeypatch.setattr(creation, "_digest", digest)
    with TestClient(app.create_app(folder)):
        pass
    assert job_rows.get(db, None, "gone")["error"]["code"] == "model_not_available"
    assert job_rows.get(db, None, "barred")["error"]["code"] == "internal_error"
    assert "PermissionError" in job_rows.get(db, None, "barred")["error"]["message"]


def stored(db, folder, file_id, expires_at=None):
    folder.file(file_id).write_bytes(b"x")
    row = {"id": file_id, "tenant": "a", "filename": "f", "bytes": 1, "purpose": "batch", "created_at": 1}
    file_rows.add(db, row | {"expires_at": expires_at, "sha256": "", "format": None, "n_examples": None})


def test_expired_files_are_hidden_at_once_and_swept(db, folder):
    stored(db, folder, "old", expires_at=int(time.time()) - 1)
    stored(db, folder, "new", expires_at=int(time.time()) + 60)
    stored(db, folder, "kept")
    assert [file_rows.get(db, "a", name) is not None for name in ("old", "new", "kept")] == [
        False,
        True,
        True,
    ]
    (folder.files / "orphan").write_bytes(b"half an upload")
    (folder.files / ".nfs0001").write_bytes(b"of the file system")
    (folder.files / "renamed.part").symlink_to("nowhere")  # its stat fails as that of a file just renamed
    assert file_rows.sweep(db, folder, older_than=-1) == 2
    (folder.files / "renamed.part").unlink()
    assert sorted(path.name for path in folder.files.iterdir()) == [".nfs0001", "kept", "new"]


def test_an_expired_file_is_kept_while_a_live_job_needs_it(db, folder):
    stored(db, folder, "f", expires_at=1)  # the file that queue() names
    queue(db, "one")
    assert file_rows.sweep(db, folder) == 0
    assert folder.file("f").exists()
    job_rows.fail(db, "one", "code", "why")
    assert file_rows.sweep(db, folder) == 1


def test_the_databases_url_reaches_workers_of_a_cluster_and_nobody_else(folder, monkeypatch):
    from onprem.store import connect

    monkeypatch.setenv(connect.VARIABLE, "postgresql://u:p@h/n")
    connect.leave_url(folder)
    (path,) = folder.root.glob("*.url")
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv(connect.VARIABLE, "")
    connect.take_url(folder)
    assert os.environ[connect.VARIABLE] == "postgresql://u:p@h/n"
    monkeypatch.delenv(connect.VARIABLE)
    connect.leave_url(folder)  # the store is SQLite again
    connect.take_url(folder)
    assert connect.VARIABLE not in os.environ


def test_the_servers_own_failures_are_counted_and_strange_methods_are_one(folder, monkeypatch):
    from fastapi.testclient import TestClient

    from onprem.server import app

    application = app.create_app(folder)
    with TestClient(application, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.request("BREW", "/healthz")
        monkeypatch.setattr(Database, "one", lambda *_: 1 / 0)
        assert client.get("/healthz").status_code == 500
        monkeypatch.undo()
        text = client.get("/metrics").text
    assert 'onprem_requests_total{method="GET",route="/healthz",status="500"} 1.0' in text
    assert 'method="other"' in text
    assert "BREW" not in text


def test_a_chore_goes_on_after_an_error(monkeypatch):
    from onprem.server import app

    done = []

    async def chore(context):
        done.append(context)
        if len(done) == 3:
            raise asyncio.CancelledError
        raise OSError("the database restarts")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app._every(0.0, chore, "context"))
    assert len(done) == 3


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/passwd", "", ".", "..", "a\0b", "a\\b"])
def test_names_cannot_leave_the_folder(folder, name):
    with pytest.raises(ValueError, match="cannot be a name"):
        folder.file(name)
