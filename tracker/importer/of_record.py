"""Turns a job record into what MLflow gets: the reverse of reading MLflow, for histories that no provider served. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.content import Content, summaries
from tracker.points import BASE, Point
from tracker.providers import find
from tracker.readers.values import SERIES, finite, number
from tracker.story import story

# Params by the record's field: settled facts about a run that is over.
FACTS = ("model", "provider", "method", "seed", "n_train_examples", "n_valid_examples", "lr_schedule")
# MLflow's steps are integers. Where a log has fractions of epochs alone, a step here is a thousandth of an epoch.
FINEST = 1000


def content_of(record: Mapping[str, Any], job_id: str, experiment: str, created_at: float) -> Content:
    """What MLflow gets of a record.

    Parameters
    ----------
    record
        A job record with its `source`.
    job_id
        The id under which the run is found again.
    created_at
        Seconds since 1970, for records that do not say when they began.
    """
    created_at = finite(record.get("created_at")) or created_at
    status = str(record.get("status") or "succeeded")
    if status == "running" and not record.get(
        "provider"
    ):  # a log at rest: what it tells is all there will be
        status = "succeeded"
    scale = step_scale(record)
    start = int(created_at * 1000)
    points = [p for key in SERIES for p in _points(key, record.get(key) or (), scale, start)]
    base = number(record.get("base_valid_loss"))
    if base is not None and math.isfinite(base):
        points.append(Point(BASE, 0, base, start))
    end = max((p.timestamp for p in points), default=start)
    made = Content(job_id, experiment, str(record.get("id") or job_id), start, status, end_ms=end)
    knobs = dict(record.get("hyperparameters") or {})
    served = {"id": job_id, "created_at": created_at, "finished_at": end / 1000, "model": record.get("model")}
    served["trained_tokens"] = record.get("trained_tokens")
    points += summaries(served, find("compatible"), points)
    made.points = points
    made.params = _params(record, knobs, scale)
    made.tags = _tags(record, job_id, status, scale)
    made.tags["mlflow.note.content"] = story(served, status, knobs, points, [])
    return made


def step_scale(record: Mapping[str, Any]) -> int:
    """By how much steps are multiplied to be whole: 1 where they are already."""
    steps = [finite(point[0]) for key in SERIES for point in record.get(key) or ()]
    return 1 if all(step.is_integer() for step in steps if step is not None) else FINEST


def _points(key: str, series: Sequence[Sequence[Any]], scale: int, start: int) -> list[Point]:
    """Points with times that only their step and order tell: read again, they are the same.

    A step that is logged twice (a resumed run, a repeated evaluation) keeps both values, the later one later.
    """
    times: dict[int, int] = {}
    points = []
    for point in series:
        step, value = finite(point[0]), number(point[1])
        if step is None or value is None:
            continue
        whole = round(step * scale)
        times[whole] = times.get(whole, -1) + 1
        value = value if math.isfinite(value) else math.nan  # MLflow keeps no infinity
        points.append(Point(key, whole, value, start + whole + times[whole]))
    return points


def _params(record: Mapping[str, Any], knobs: Mapping[str, Any], scale: int) -> dict[str, str]:
    found = {**knobs, **{name: record.get(name) for name in FACTS}}
    per_epoch, total = finite(record.get("steps_per_epoch")), finite(record.get("total_steps"))
    found |= {"steps_per_epoch": per_epoch and per_epoch * scale, "total_steps": total and total * scale}
    return {key: _plain(value) for key, value in found.items() if value not in (None, "auto", -1)}


def _tags(record: Mapping[str, Any], job_id: str, status: str, scale: int) -> dict[str, str]:
    source = record.get("source") or {}
    total = finite(record.get("total_steps"))
    found = {
        "job.id": job_id,
        "job.status": status,
        "job.total_steps": _plain(total * scale) if total else None,
        "import.format": source.get("format"),
        "import.sha256": source.get("sha256"),
        "import.step_unit": f"1/{scale} epoch" if scale > 1 else None,
        "fine_tuned_model": record.get("fine_tuned_model"),
    }
    return {key: str(value) for key, value in found.items() if value}


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
