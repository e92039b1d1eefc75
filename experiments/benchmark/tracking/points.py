"""Points per second into a store: spool and writer against a bare ``log_batch`` of 1,000, in turns."""

from __future__ import annotations

import gc
import statistics
import time
from pathlib import Path

from tracker.garbage import collect_seldom
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
        Points per second of both ways (medians of the rounds), and the ratio ours / bare: of the medians, and of each
        round the lowest and highest.
    """
    store = MlflowStore(uri)
    _bare(store, _batches(BATCH), -1)  # what is made at the first write is nobody's merit
    speeds: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(rounds):
        for way in ("bare", "ours") if turn % 2 else ("ours", "bare"):
            batches = _batches(count)
            seconds = _bare(store, batches, turn) if way == "bare" else _ours(store, folder, batches, turn)
            speeds[way].append(count / seconds)
    middle = {way: statistics.median(found) for way, found in speeds.items()}
    ratios = [ours / bare for ours, bare in zip(speeds["ours"], speeds["bare"], strict=True)]
    return {"bare": round(middle["bare"]), "ours": round(middle["ours"]), "ratio": round(middle["ours"] / middle["bare"], 2),
            "lowest": round(min(ratios), 2), "highest": round(max(ratios), 2), "points": count, "rounds": rounds}  # fmt: skip


def _bare(store: MlflowStore, batches: list[list], turn: int) -> float:
    """What a script of five lines does."""
    run_id = store.create_run("points", f"bare {turn}", {}, 0)
    begun = time.perf_counter()
    for batch in batches:
        store.client.log_batch(run_id, metrics=metrics(batch))
    return time.perf_counter() - begun


def _ours(store: MlflowStore, folder: Path, batches: list[list], turn: int) -> float:
    """What a command of the tracker does: into the spool, and from there into MLflow, until MLflow has all."""
    run_id = store.create_run("points", f"ours {turn}", {}, 0)
    spool = Spool(folder / f"points-{turn}.db", store.uri)
    before = gc.get_threshold()
    collect_seldom()
    begun = time.perf_counter()
    writer = Writer(spool, lambda: store)
    for batch in batches:
        spool.put(f"run:{run_id}", [("points", batch)])
    writer.flush(600)
    seconds = time.perf_counter() - begun
    gc.set_threshold(*before)
    writer.close()
    spool.close()
    return seconds


def _batches(count: int) -> list[list]:
    points = [["train_loss", n, 1.0 / (n + 1), 1000 * n] for n in range(count)]
    return [points[at : at + BATCH] for at in range(0, count, BATCH)]
