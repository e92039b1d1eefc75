"""Reads TensorBoard event files, one run per folder (optional extra `tensorboard`).

Keras writes training and validation into the sub-folders `train` and `validation` of one run: they are read together.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.decay import peak_rate
from tracker.readers.holds import shown_names
from tracker.readers.mlflow_keys import read_metrics, record_of_run
from tracker.readers.source import NotThisFormat, ReadError, Source
from tracker.readers.values import Point, finite

NAME = "TensorBoard event file"
MARK = "tfevents"
ARGUMENTS = "args/text_summary"  # under which Hugging Face's Trainer writes its arguments as JSON
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
        metrics, args, created_at = _merged({prefix: folder / part for part, prefix in KERAS_PARTS.items()})
        metrics = {key: points for key, points in metrics.items() if "epoch_" in key}
    else:
        metrics, args, created_at = _merged({"": folder})
    series = read_metrics(metrics)
    if not series:
        raise NotThisFormat(f"has no loss that a known logger writes among its scalars{_tags(metrics)}")
    # the Trainer writes into OUT/runs/DATE_HOST, and its model card lies in OUT
    settings = settings_beside(folder.parent.parent if folder.parent.name == "runs" else folder)
    beside = settings.pop("hyperparameters")
    record = record_of_run(folder.name, metrics, args, **({"created_at": created_at} | settings))
    rates = sorted(p for key, points in metrics.items() if RATE.search(key) for p in points)
    rate = peak_rate(rates, _total(args, series))
    known = {"learning_rate": rate} if rate else {}
    return [record | {"hyperparameters": known | record["hyperparameters"] | beside}]


def _total(args: dict[str, Any], series: dict[str, list[Point]]) -> float:
    """The steps of the run's schedule: those planned, where the arguments tell them, else those logged."""
    planned = finite(args.get("max_steps"))
    last = max(step for points in series.values() for step, _ in points)
    return planned if planned and planned >= last else last


def remark(source: Source, record: dict[str, Any]) -> str | None:
    """What is told where more than one file is read."""
    files = len(list(source.path.resolve().parent.glob(f"*{MARK}*")))
    if files < 2:
        return None
    return f": the {files} event files of its folder are read as one run, as TensorBoard does; each run needs its own"


def _merged(folders: dict[str, Path]) -> tuple[dict[str, list[Point]], dict[str, Any], float | None]:
    """All event files of a run, for one writer begins a new file for each of its phases: points by key, the Trainer's
    arguments, when it began.

    Parameters
    ----------
    folders
        Where they lie, by what is put before their tags.
    """
    metrics: dict[str, list[Point]] = {}
    args: dict[str, Any] = {}
    starts = []
    for prefix, folder in folders.items():
        for path in sorted(folder.glob(f"*{MARK}*")):
            scalars, told, start = _scalars(path)
            args |= told
            starts += [start] if start else []
            for tag, points in scalars.items():
                metrics.setdefault(prefix + tag, []).extend(points)
    ordered = {key: sorted(points, key=lambda p: p[0]) for key, points in metrics.items()}
    return ordered, args, min(starts, default=None)


def _scalars(path: Path) -> tuple[dict[str, list[Point]], dict[str, Any], float | None]:
    """Every scalar's points by tag, the Trainer's arguments, the time of the first event (seconds since 1970)."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise ReadError(
            f"{path} is a TensorBoard event file; reading it needs the extra: pip install 'finetune-advisor[tensorboard]'"
        ) from error
    metrics: dict[str, list[Point]] = {}
    args: dict[str, Any] = {}
    start = None
    try:
        for event in EventFileLoader(str(path)).Load():
            start = start or event.wall_time
            for value in event.summary.value:
                if value.tag == ARGUMENTS and value.tensor.string_val:
                    args |= _decoded(value.tensor.string_val[0])
                elif (
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
    return metrics, args, start


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _tags(metrics: dict[str, list[Point]]) -> str:
    return f" {shown_names(sorted(metrics))}" if metrics else ""
