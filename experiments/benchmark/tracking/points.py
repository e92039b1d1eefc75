"""Points per second into a store: spool and writer against a bare ``log_batch`` of 1,000, in turns.

Both ways run in one process, so also with the same settings of Python's garbage collection.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from tracker.mlflow_client import metrics
from tracker.mlflow_store import MlflowStore
from tracker.spool import Spool
from tracker.writer import Writer

BATCH = 1000


def points_per_second(uri: str, folder: Path, count: int, rounds: int) -> dict[str, float | int]:
    """Measure one store.

    Returns
    -------
    dict
        Points per second of both ways (medians of the rounds), the ratio ours / bare of wall time and of this process's
        CPU time (medians of the rounds' ratios: neighbours in time share the machine's mood), and the wall ratios' ends.
    """
    store = MlflowStore(uri)
    _bare(store, _batches(BATCH), -1)  # what is made at the first write is nobody's merit
    wall: dict[str, list[float]] = {"bare": [], "ours": []}
    cpu: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(rounds):
        for way in ("bare", "ours") if turn % 2 else ("ours", "bare"):
            batches = _batches(count)
            took = _bare(store, batches, turn) if way == "bare" else _ours(store, folder, batches, turn)
            wall[way].append(took[0])
            cpu[way].append(took[1])
    ratios, cpu_ratios = _ratios(wall), _ratios(cpu)
    return {"bare": round(count / statistics.median(wall["bare"])), "ours": round(count / statistics.median(wall["ours"])),
            "ratio": round(statistics.median(ratios), 2), "lowest": round(min(ratios), 2), "highest": round(max(ratios), 2),
            "cpu_ratio": round(statistics.median(cpu_ratios), 2), "points": count, "rounds": rounds}  # fmt: skip


def _ratios(seconds: dict[str, list[float]]) -> list[float]:
    """Return each round's ratio of speeds, ours / bare."""
    return [bare / ours for ours, bare in zip(seconds["ours"], seconds["bare"], strict=True)]


def _bare(store: MlflowStore, batches: list[list], turn: int) -> tuple[float, float]:
    """What a script of five lines does; returns seconds of wall time and of CPU."""
    run_id = store.create_run("points", f"bare {turn}", {}, 0)
    begun, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        store.client.log_batch(run_id, metrics=metrics(batch))
    return time.perf_counter() - begun, time.process_time() - cpu


def _ours(store: MlflowStore, folder: Path, batches: list[list], turn: int) -> tuple[float, float]:
    """What a command of the tracker does: into the spool, and from there into MLflow, until MLflow has all."""
    run_id = store.create_run("points", f"ours {turn}", {}, 0)
    spool = Spool(folder / f"points-{turn}.db", store.uri)
    begun, cpu = time.perf_counter(), time.process_time()
    writer = Writer(spool, lambda: store)
    for batch in batches:
        spool.put(f"run:{run_id}", [("points", batch)])
    writer.flush(600)
    took = time.perf_counter() - begun, time.process_time() - cpu
    writer.close()
    spool.close()
    return took


def _batches(count: int) -> list[list]:
    points = [["train_loss", n, 1.0 / (n + 1), 1000 * n] for n in range(count)]
    return [points[at : at + BATCH] for at in range(0, count, BATCH)]
