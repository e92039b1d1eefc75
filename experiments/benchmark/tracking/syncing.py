"""A whole account into MLflow: ``tracker sync`` against two other ways, on the same served account."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from experiments.benchmark.tracking.other_ways import naive, store_in, weights_and_biases
from experiments.benchmark.tracking.provider import LeanServer
from tracker.session import Session
from tracker.sqlread import SqlReader
from tracker.sync import sync

#: Jobs that the other ways are measured on; at some 30 writes a second all of them would take hours.
FEW = 4


def synced(jobs: int, events: int, folder: Path) -> dict[str, float | int]:
    """Measure one account of ended jobs; a fifth of them failed.

    Returns
    -------
    dict
        Seconds of ours for all jobs, seconds per job of each way, and the share of jobs and of points that each keeps.
    """
    with LeanServer(jobs, ended=events) as server:
        ours, kept = _ours(server.url, jobs, folder / "ours")
        per_job, points = _per_job(naive, server.url, folder / "naive")
        wandb_per_job, wandb_points = _per_job(weights_and_biases, server.url, folder / "wandb")
    whole = 2 * events
    return {"jobs": jobs, "events": events, "ours_s": round(ours, 1), "points_kept": kept,
            "ours_s_per_job": round(ours / jobs, 3), "naive_s_per_job": round(per_job, 2), "wandb_s_per_job": round(wandb_per_job, 2),
            "faster_than_naive": round(per_job * jobs / ours, 1), "faster_than_wandb": round(wandb_per_job * jobs / ours, 1),
            "naive_points_per_job": round(points / FEW), "wandb_points_per_job": round(wandb_points / FEW), "points_per_job": whole,
            "wandb_jobs_seen": min(jobs, 20)}  # fmt: skip


def _ours(url: str, jobs: int, folder: Path) -> tuple[float, int]:
    """Return the seconds of a sync, until MLflow has all, and the number of points it has then."""
    uri = f"sqlite:///{folder}/mlflow.db"
    with Session(url, "k", "onprem", uri) as session:
        session.store  # noqa: B018  loading MLflow is nobody's merit
        begun = time.perf_counter()
        found = session.wait(sync(session))
        session.writer.flush(3600)
        seconds = time.perf_counter() - begun
    assert (found.recorded, found.unread) == (jobs, {}), "the whole account, or there is nothing to compare"
    read = SqlReader(folder / "mlflow.db")
    curves = read.curves([row.run_id for row in read.runs()])
    return seconds, sum(
        len(curves[run]["train_loss"]) + len(curves[run]["train_mean_token_accuracy"]) for run in curves
    )


def _per_job(way, url: str, folder: Path) -> tuple[float, int]:
    store = store_in(folder)
    begun = time.perf_counter()
    points = asyncio.run(way(url, store, FEW))
    return (time.perf_counter() - begun) / FEW, points
