"""A store that may only be read: it is read as it stands, or it is said why not. Root may write everywhere, and so the
refusals of SQLite and of the system are put in their place.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import tracker
from tracker import sqlread
from tracker.errors import InputError, TrackerError
from tracker.mlflow_store import MlflowStore
from tracker.points import Point


@pytest.fixture
def store(uri):
    store = MlflowStore(uri)
    run_id = store.create_run("exp", "job", {"job.id": "ftjob-1", "finetune_advisor.job": "k"}, 1000)
    store.log_points(run_id, [Point("train_loss", 1, 2.0, 1000)])
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as db:  # as it is when the last writer has gone
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return run_id


def refuse(monkeypatch, code, of_all=False):
    """SQLite refuses to open the store with its log (the index beside it cannot be written), or at all."""
    answering = sqlread._answering

    def refusing(address):
        if of_all or "immutable" not in address:
            error = sqlite3.OperationalError("attempt to write a readonly database")
            error.sqlite_errorcode = code
            raise error
        return answering(address)

    monkeypatch.setattr(sqlread, "_answering", refusing)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, 8 | 5 << 8])
@pytest.mark.parametrize("log", [None, b""])
def test_store_in_a_folder_that_cannot_be_written_is_read(store, uri, monkeypatch, code, log):
    beside = Path(uri.removeprefix("sqlite:///") + "-wal")
    assert not beside.is_file() or not beside.stat().st_size
    if log is not None:
        beside.write_bytes(log)
    refuse(monkeypatch, code)
    [record] = tracker.records("exp", tracking_uri=uri)
    assert record["train_loss"] == [[1, 2.0]]


def test_what_waits_in_its_log_is_not_left_out_unsaid(store, uri, monkeypatch):
    Path(uri.removeprefix("sqlite:///") + "-wal").write_bytes(b"pages")
    refuse(monkeypatch, sqlite3.SQLITE_READONLY)
    with pytest.raises(InputError, match=r"mlflow.db-wal beside it holds what is not in it yet.*Copy both"):
        tracker.records("exp", tracking_uri=uri)


def test_what_waits_in_its_log_is_looked_for_beside_the_store_and_not_beside_a_link(
    store, uri, monkeypatch, tmp_path
):
    real, link = Path(uri.removeprefix("sqlite:///")), tmp_path / "link" / "linked.db"
    link.parent.mkdir()
    link.symlink_to(real)
    Path(f"{real}-wal").write_bytes(b"pages")
    refuse(monkeypatch, sqlite3.SQLITE_READONLY)
    with pytest.raises(InputError, match=r"mlflow.db-wal beside it holds what is not in it yet"):
        tracker.records("exp", tracking_uri=f"sqlite:///{link}")


def test_store_that_cannot_be_read_at_all_is_named(store, uri, monkeypatch):
    refuse(monkeypatch, sqlite3.SQLITE_CANTOPEN, of_all=True)
    with pytest.raises(InputError, match=r"mlflow.db cannot be read.*expected a file that you may read"):
        tracker.records("exp", tracking_uri=uri)


def test_busy_store_is_waited_for_as_before(store, uri, monkeypatch):
    refuse(monkeypatch, sqlite3.SQLITE_BUSY)
    with pytest.raises(sqlite3.OperationalError):
        tracker.records("exp", tracking_uri=uri)


def test_advice_that_cannot_be_written_names_the_store(store, uri, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(TrackerError, match=r"mlflow.db or its folder cannot be written.*--dry-run"):
        tracker.write_advice(store, {}, tracking_uri=uri)
