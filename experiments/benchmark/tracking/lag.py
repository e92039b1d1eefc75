"""Lag: seconds from a point's becoming visible at the provider to MLflow's having it, while many jobs run."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.benchmark.tracking.provider import LeanServer
from tracker.mlflow_client import metrics
from tracker.session import Session

#: Seconds between the events of one job.
PERIOD_S = 15.0

#: Writes timed before and again after the following to say what the store alone needs.
SAMPLE = 100

#: Seconds that points of the window may be late before the measuring ends without them.
LATEST_S = 300.0


@dataclass
class Seen:
    """Points that MLflow has, as ``(visible, durable)`` moments, and the runs that have some."""

    moments: list[tuple[float, float]] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)

    def within(self, begin: float, end: float) -> list[float]:
        """Return the lags of the points that became visible in a window."""
        return [durable - visible for visible, durable in list(self.moments) if begin <= visible < end]


def lag(jobs: int, folder: Path, window_s: float) -> dict[str, float | int]:
    """Follow so many jobs and measure every point that becomes visible within a window.

    Parameters
    ----------
    window_s
        A multiple of ``PERIOD_S``: then every job has equally many points in it.

    Returns
    -------
    dict
        Lags in seconds, and ``store_s``: what the store's own ``log_batch`` needs, one call after the other, to take
        one event of every job; from ``2 x SAMPLE`` calls before and after, on runs of their own.
    """
    server = LeanServer(jobs, PERIOD_S)
    with server, Session(server.url, "k", "onprem", f"sqlite:///{folder}/lag{jobs}/mlflow.db") as session:
        alone = _alone(session, "before")
        seen, enough = _listen(session), threading.Event()
        watched = [session.watch(f"ftjob-{k}") for k in range(jobs)]
        following = threading.Thread(target=session.follow, args=(watched, None, enough.is_set))
        following.start()
        _until(lambda: len(seen.runs) == jobs, 3600)  # every run is open
        begin, cpu = time.time(), time.process_time()
        time.sleep(window_s)
        end, used = time.time(), time.process_time() - cpu
        memory = _resident_mb()
        due = jobs * round(window_s / PERIOD_S)
        _until(lambda: len(seen.within(begin, end)) >= due, LATEST_S)
        enough.set()
        following.join()
        lags = sorted(seen.within(begin, end))
        alone += _alone(session, "after")
    store_s = jobs * statistics.fmean(alone)
    p99 = lags[int(0.99 * len(lags))]
    return {"jobs": jobs, "points": len(lags), "missing": max(0, due - len(lags)),
            "median_s": round(statistics.median(lags), 2), "p99_s": round(p99, 2), "store_s": round(store_s, 1),
            "p99_to_store": round(p99 / store_s, 2), "cpu_share": round(used / window_s, 2), "memory_mb": memory}  # fmt: skip


def _alone(session: Session, name: str) -> list[float]:
    """Return the seconds of single ``log_batch`` calls with one event each, on twenty runs in turn."""
    store = session.store
    runs = [store.create_run("alone", f"{name} {k}", {}, 0) for k in range(20)]
    found = []
    for step in range(1, SAMPLE + 1):
        event = metrics([(key, step, 0.5, step) for key in ("train_loss", "train_mean_token_accuracy")])
        begun = time.perf_counter()
        store.client.log_batch(runs[step % len(runs)], metrics=event)
        found.append(time.perf_counter() - begun)
    return found


def _listen(session: Session) -> Seen:
    """Take the time of every point as MLflow has taken it."""
    seen, log_points, set_status = Seen(), session.store.log_points, session.store.set_status

    def timed(run_id: str, points: list) -> None:
        log_points(run_id, points)
        now = time.time()
        seen.moments += [(value, now) for key, _, value, _ in points if key == "train_loss"]

    def noted(run_id: str, *status: object) -> None:
        set_status(run_id, *status)
        seen.runs.add(run_id)

    session.store.log_points, session.store.set_status = timed, noted
    return seen


def _until(true: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
