"""Reads TensorBoard event files, one run per folder (optional extra `tensorboard`).

Keras writes training and validation into the sub-folders `train` and `validation` of one run: they are read together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.dialects import dialect_of
from tracker.readers.mlflow_keys import epochs_run, read_metrics, steps_per_epoch
from tracker.readers.source import NotThisFormat, ReadError, Source
from tracker.readers.values import Point, make_record

NAME = "TensorBoard event file"
MARK = "tfevents"
# Keras' two writers use the same tags, `epoch_loss`: the validation's get the name that its history gives them.
KERAS_PARTS = {"train": "", "validation": "val_"}
RATE = re.compile(r"(^|/)learning_rate$|^lr-")


def read(source: Source) -> list[dict[str, Any]]:
    """The run that an event file belongs to, as one job record."""
    if MARK not in source.path.name:
        raise NotThisFormat(f"has no '{MARK}' in its name")
    folder = source.path.resolve().parent
    if folder.name in KERAS_PARTS:
        folder = folder.parent
        metrics, created_at = _merged({prefix: folder / part for part, prefix in KERAS_PARTS.items()})
        metrics = {key: points for key, points in metrics.items() if "epoch_" in key}
    else:
        metrics, created_at = _merged({"": folder})
    dialect = dialect_of(set(metrics))
    series = read_metrics(metrics, dialect)
    if dialect is None or not series:
        raise NotThisFormat("has no loss among its scalars")
    rates = [v for key, points in metrics.items() if RATE.search(key) for _, v in points]
    knobs = {"n_epochs": epochs_run(metrics, dialect), "learning_rate": max(rates, default=None)}
    # the Trainer writes into OUT/runs/DATE_HOST, and its model card lies in OUT
    settings = settings_beside(folder.parent.parent if folder.parent.name == "runs" else folder)
    knobs |= settings.pop("hyperparameters")
    fields = {"steps_per_epoch": steps_per_epoch(metrics, dialect), "created_at": created_at} | settings
    return [make_record(folder.name, series, knobs, **fields)]


def _merged(folders: dict[str, Path]) -> tuple[dict[str, list[Point]], float | None]:
    """All event files of a run: one writer begins a new file for each of its phases.

    Parameters
    ----------
    folders
        Where they lie, by what is put before their tags.
    """
    metrics: dict[str, list[Point]] = {}
    starts = []
    for prefix, folder in folders.items():
        for path in sorted(folder.glob(f"*{MARK}*")):
            scalars, start = _scalars(path)
            starts += [start] if start else []
            for tag, points in scalars.items():
                metrics.setdefault(prefix + tag, []).extend(points)
    return {key: sorted(points, key=lambda p: p[0]) for key, points in metrics.items()}, min(
        starts, default=None
    )


def _scalars(path: Path) -> tuple[dict[str, list[Point]], float | None]:
    """Every scalar's points by tag, and the time of the first event (seconds since 1970)."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise ReadError(
            f"{path} is a TensorBoard event file; reading it needs the extra: pip install 'finetune-advisor[tensorboard]'"
        ) from error
    metrics: dict[str, list[Point]] = {}
    start = None
    try:
        for event in EventFileLoader(str(path)).Load():
            start = start or event.wall_time
            for value in event.summary.value:
                if (
                    value.HasField("tensor")
                    and make_ndarray(value.tensor).ndim == 0
                    and not value.tensor.string_val
                ):
                    metrics.setdefault(value.tag, []).append(
                        (float(event.step), float(make_ndarray(value.tensor)))
                    )
    except (
        Exception
    ) as error:  # the library lets errors of its parts through: truncated records, bad messages
        raise NotThisFormat(f"is no readable event file ({type(error).__name__})") from error
    return metrics, start
