"""Reads TensorBoard event files, one run per folder (optional extra `tensorboard`).

Keras writes training and validation into the sub-folders `train` and `validation` of one run: they are read together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.mlflow_keys import KERAS, dialect_of, read_metrics, steps_per_epoch
from tracker.readers.source import NotThisFormat, ReadError, Source
from tracker.readers.values import Point, make_record

NAME = "TensorBoard event file"
MARK = "tfevents"
KERAS_PARTS = {"train": "epoch_", "validation": "epoch_val_"}


def read(source: Source) -> list[dict[str, Any]]:
    """The run that an event file belongs to, as one job record."""
    if MARK not in source.path.name:
        raise NotThisFormat(f"has no '{MARK}' in its name")
    folder = source.path.resolve().parent
    if folder.name in KERAS_PARTS:
        metrics, created_at = _keras_metrics(folder.parent)
        name = folder.parent.name
    else:
        (metrics, created_at), name = _scalars(source.path), folder.name
    dialect = dialect_of(set(metrics))
    series = read_metrics(metrics, dialect)
    if not series:
        raise NotThisFormat("has no loss among its scalars")
    rates = metrics.get("train/learning_rate") or metrics.get("learning_rate") or ()
    knobs = {"learning_rate": max((rate for _, rate in rates), default=None)}
    if dialect is KERAS:
        knobs["n_epochs"] = max(step for s in series.values() for step, _ in s)
    # the Trainer writes into OUT/runs/DATE_HOST, and its model card lies in OUT
    settings = settings_beside(folder.parent.parent if folder.parent.name == "runs" else folder)
    knobs |= settings.pop("hyperparameters")
    fields = {"steps_per_epoch": steps_per_epoch(metrics, dialect), "created_at": created_at} | settings
    return [make_record(name, series, knobs, **fields)]


def _keras_metrics(folder: Path) -> tuple[dict[str, list[Point]], float | None]:
    """Both parts' scalars under the names that Keras' own history gives them."""
    metrics: dict[str, list[Point]] = {}
    start = None
    for part, prefix in KERAS_PARTS.items():
        for path in sorted((folder / part).glob(f"*{MARK}*")):
            scalars, created_at = _scalars(path)
            start = min(t for t in (start, created_at) if t is not None) if created_at or start else None
            for tag, series in scalars.items():
                if tag.startswith("epoch_"):
                    metrics.setdefault(prefix + tag.removeprefix("epoch_"), []).extend(series)
    return metrics, start


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
