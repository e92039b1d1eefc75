"""A fresh SQLite store: the shipped empty database, only where MLflow itself would make the same."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
import time

import pytest

from tracker import fresh


def schema(path) -> set:
    """Tables, columns and indexes, whatever their order: MLflow's migrations write a table's checks in the order of a set."""
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    db.close()
    return {
        (kind, name, table, tuple(sorted(re.findall(r"[^\s,]+", sql or ""))))
        for kind, name, table, sql in rows
    }


def test_the_shipped_database_fits_the_installed_mlflow(tmp_path):
    begun = time.process_time()
    assert fresh.prepare(tmp_path / "mlruns" / "mlflow.db")
    assert time.process_time() - begun < 1.0  # the migrations take some six seconds
    assert {fresh.revision_of(tmp_path / "mlruns" / "mlflow.db")} == fresh.newest_revisions()


def test_it_is_what_mlflows_own_migrations_make(tmp_path):
    from tracker.mlflow_client import migrated_database

    fresh.prepare(tmp_path / "copied.db")
    migrated_database(tmp_path / "migrated.db")
    assert schema(tmp_path / "copied.db") == schema(tmp_path / "migrated.db")


def test_with_another_mlflow_it_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(fresh, "newest_revisions", lambda: {"0123456789ab"})
    assert not fresh.prepare(tmp_path / "mlflow.db")
    assert os.listdir(tmp_path) == []


def test_what_is_there_stays(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"somebody's")
    assert not fresh.prepare(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == b"somebody's"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_it_is_for_the_umask_to_say(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        fresh.prepare(tmp_path / "mlflow.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "mlflow.db").stat().st_mode) == mode


def test_of_many_at_once_one_makes_it(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fresh.prepare(tmp_path / "mlflow.db"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 7 + [True]
    assert os.listdir(tmp_path) == ["mlflow.db"]
