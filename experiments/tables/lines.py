"""The lines of a table: what a job's metrics become, and how a table is written, gone on with and packed."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

from .grid import Setting

MAX_POINTS = 160  # of a training curve: longer ones are thinned evenly, first and last kept
DIGITS = 5


def header(task: str, n_train: int, n_valid: int, setting: Setting, story: dict) -> dict:
    """Return a table's first line; its base loss is the event of step 0 of any of its jobs."""
    base = next((point for point in story["metrics"] if point["step"] == 0), {})
    if base.get("full_valid_loss") is None:
        raise RuntimeError(
            "the server sent no full_valid_loss at step 0, which a table needs as its base loss"
        )
    return {
        "task": task,
        "n_train": n_train,
        "n_valid": n_valid,
        "train_tokens": round((story["tokens"] or 0) / setting[0]),  # of one epoch, as the server bills them
        "schedule": "linear",
        "base_loss": base["full_valid_loss"],
    }


def line(setting: Setting, story: dict, n_train: int) -> dict:
    """Return the line of one setting."""
    epochs, batch, multiplier = setting
    after_start = [point for point in story["metrics"] if point["step"] > 0]
    full = [
        [
            point["step"],
            _rounded(point["full_valid_loss"]),
            _rounded(point.get("full_valid_mean_token_accuracy")),
        ]
        for point in after_start
        if "full_valid_loss" in point
    ]
    return {
        "n_epochs": epochs,
        "batch_size": batch,
        "lrm": multiplier,
        "train": thinned(_series(after_start, "train_loss")),
        "valid": _series(after_start, "valid_loss"),
        "full": full,
        "spe": math.ceil(n_train / batch),
        "final": None if story["diverged"] or not full else full[-1][1],
    }


def confirmed(first: dict, others: list[dict]) -> dict:
    """Return the line with the mean of its own and other seeds' final losses; a seed that diverged makes it null."""
    finals = [first["final"], *(other["final"] for other in others)]
    mean = None if None in finals else round(sum(finals) / len(finals), DIGITS)
    return {**first, "final": mean, "seeds": finals}


def thinned(series: list) -> list:
    """Return at most `MAX_POINTS` points, evenly spaced, the first and the last among them."""
    if len(series) <= MAX_POINTS:
        return series
    gaps = (len(series) - 1) / (MAX_POINTS - 1)
    return [series[round(i * gaps)] for i in range(MAX_POINTS)]


def read(path: Path) -> list[dict]:
    """Read a table begun earlier; an empty list if there is none. A last line cut off by an interruption is dropped."""
    if not path.exists():
        return []
    whole = [text for text in path.read_text().splitlines(keepends=True) if text.endswith("\n")]
    return [json.loads(text) for text in whole]


def pack(path: Path) -> Path:
    """Write the finished table gzipped beside its plain file, the same bytes each time, and remove the plain one."""
    packed = path.with_suffix(".jsonl.gz")
    with packed.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.write(path.read_bytes())
    path.unlink()
    return packed


def _series(points: list[dict], key: str) -> list:
    return [[point["step"], _rounded(point[key])] for point in points if key in point]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
