"""The spool among thousands of jobs: what one more costs must not depend on how many wait."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tracker.spool import WEIGH_EACH, Spool
from tracker.writer import Writer


def filled(path: Path, jobs: int) -> Spool:
    """A spool in which so many jobs wait."""
    spool = Spool(path, "here")
    for k in range(jobs):
        spool.put(f"job:{k}", [("record", {"k": k}), ("status", ["FINISHED", k])])
    return spool


def steps(spool: Spool, work) -> int:
    """How many steps of SQLite's virtual machine some work takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    spool._db.set_progress_handler(step, 1)
    work()
    spool._db.set_progress_handler(None, 0)
    return count


def one_more(spool: Spool) -> None:
    assert not spool.full
    spool.put("job:new", [("record", {})])
    spool.drop(spool.oldest())


def test_a_job_costs_the_same_however_many_wait(tmp_path):
    few, many = filled(tmp_path / "few.db", 20), filled(tmp_path / "many.db", 2000)
    assert not few.full
    assert not many.full  # weighed once at the beginning, since what was found may be too much
    assert steps(many, lambda: one_more(many)) < 1.2 * steps(few, lambda: one_more(few))


def test_the_run_that_waited_longest_comes_first_whatever_another_store_has_waiting(tmp_path):
    other = Spool(tmp_path / "spool.db", "elsewhere")
    other.put("job:z", [("record", 0)])
    spool = filled(tmp_path / "spool.db", 3)
    other.put("job:0", [("record", 1)])
    assert [(entry.target, entry.kind) for entry in spool.oldest()] == [
        ("job:0", "record"),
        ("job:0", "status"),
    ]
    assert [entry.target for entry in spool.oldest(skip={"job:0"})] == ["job:1", "job:1"]


@pytest.mark.parametrize("size", [10, 1000, 5000])
def test_full_is_told_within_a_hundredth_of_the_limit(tmp_path, size):
    limit = 100_000
    spool = Spool(tmp_path / "spool.db", "here", limit_bytes=limit)
    held = 0
    while not spool.full:
        spool.put("job:1", [("record", "x" * size)])
        held += size + 2  # with its quotes
    assert limit <= held <= limit * (1 + WEIGH_EACH) + size + 2
    spool.drop(spool.oldest())
    assert not spool.full


def test_a_spool_found_full_is_full(tmp_path):
    Spool(tmp_path / "spool.db", "here").put("job:1", [("record", "x" * 1000)])
    assert Spool(tmp_path / "spool.db", "here", limit_bytes=500).full


class Slow:
    """A store that takes its time."""

    def log_points(self, run_id: str, points: list) -> None:
        time.sleep(0.01)


def test_waiting_for_what_was_put_does_not_wait_for_what_others_go_on_putting(tmp_path):
    spool, others, enough = (
        Spool(tmp_path / "spool.db", "here"),
        Spool(tmp_path / "spool.db", "here"),
        threading.Event(),
    )

    def feed() -> None:
        for k in range(5000):  # faster than it is written
            if enough.wait(0.001):
                return
            others.put(f"run:{k}", [("points", [["train_loss", k, 1.0, 0]])])

    feeding = threading.Thread(target=feed)
    feeding.start()
    while others.waiting() < 20:
        time.sleep(0.01)
    writer = Writer(spool, Slow)
    spool.put("run:ours", [("points", [["train_loss", 1, 1.0, 0]])])
    assert writer.flush(20)
    assert spool.waiting("run:ours") == 0
    assert spool.waiting() > 0
    enough.set()
    feeding.join()
    writer.close()
