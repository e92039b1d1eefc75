"""What waits for MLflow: in the spool while it is away, over the end of a process, entries that it never takes."""

from __future__ import annotations

import threading

import pytest
from test_tracker_crash import wait_for

from tracker.errors import Refused, StoreAway, TrackerError
from tracker.spool import Spool
from tracker.writer import Writer


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


def test_a_store_that_can_never_be_opened_is_told_to_who_waits(tmp_path):
    def refuse():
        raise Refused("no such store")

    spool = Spool(tmp_path / "spool.db", "foo://x")
    spool.put("run:1", [("tags", {"a": "b"})])
    writer = Writer(spool, refuse)
    with pytest.raises(TrackerError, match="no such store"):
        writer.flush(20)
    assert not writer.close(5)


def test_what_waits_for_another_store_fills_only_its_own_spool(tmp_path):
    dead = Spool(tmp_path / "spool.db", "http://dead", limit_bytes=50)
    dead.put("run:1", [("tags", {"a": "b" * 100})])
    assert dead.full
    assert not Spool(tmp_path / "spool.db", "alive", limit_bytes=50).full


def test_the_run_that_has_waited_longest_is_served_first_and_whole(tmp_path):
    spool = Spool(tmp_path / "spool.db", "store")
    for target, value in (("a", 1), ("b", 2), ("a", 3)):
        spool.put(target, [("tags", {"x": value})])
    first = spool.oldest()
    assert [entry.body["x"] for entry in first] == [1, 3]
    assert [entry.target for entry in spool.oldest({"a"})] == ["b"]
    spool.drop(first)
    assert [entry.target for entry in spool.oldest()] == ["b"]
