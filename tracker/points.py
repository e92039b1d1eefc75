"""Points of a job's curves, from its events, its checkpoints and its result file. Pure.

A point is a value of one metric at one step with a timestamp that the provider set: read twice, it is the same point.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

#: The metrics that the API names, and what other sources call them.
METRICS = {
    "train_loss": "train_loss",
    "training_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "train_mean_token_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "validation_loss": "valid_loss",
    "valid_accuracy": "valid_mean_token_accuracy",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    "validation_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_valid_loss": "full_valid_loss",
    "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
    "train_reward_mean": "train_reward_mean",
    "valid_reward_mean": "valid_reward_mean",
    "full_valid_reward_mean": "full_valid_reward_mean",
}

BASE = "base_valid_loss"

#: Seconds since 1970 of the year 9999: a later time is a mistake, and MLflow's column would overflow.
LATEST_S = 253_402_300_799.0

_STEP = re.compile(r"^\s*Step (\d+)(?:/(\d+))?:\s*(.*)$", re.IGNORECASE)
_SAID = re.compile(
    r"(full validation|validation|training) loss\s*=\s*(-?[\d.]+(?:e[+-]?\d+)?|nan|-?inf)", re.IGNORECASE
)
_SAID_NAMES = {"training": "train_loss", "validation": "valid_loss", "full validation": "full_valid_loss"}


class Point(NamedTuple):
    """One value of one metric.

    ``timestamp`` is in milliseconds since 1970; a value that is not finite is NaN.
    """

    key: str
    step: int
    value: float
    timestamp: int


def in_order(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events oldest first; providers serve them newest first, sometimes reordered."""
    return sorted(
        events, key=lambda e: (seconds(e.get("created_at")) or 0.0, _step(e) or 0, str(e.get("id")))
    )


def from_event(event: dict[str, Any]) -> list[Point]:
    """Return the points of one event; none where it tells no step (message events, broken ones).

    The event's ``data`` counts; its message, which rounds to two decimals, only where ``data`` holds no loss.
    """
    data = event.get("data") if isinstance(event.get("data"), dict) else {}
    step = _step(event)
    created = seconds(event.get("created_at"))
    if step is None or step < 0 or created is None:
        return []
    values = _values(data) or _said(event)
    if step == 0:
        values = {BASE: values["full_valid_loss"]} if "full_valid_loss" in values else {}
    return [Point(key, step, value, int(created * 1000)) for key, value in values.items()]


def total_steps(event: dict[str, Any]) -> int | None:
    """Return the job's number of steps where the event tells it."""
    data = event.get("data") if isinstance(event.get("data"), dict) else {}
    said = _STEP.match(str(event.get("message") or ""))
    total = finite(data.get("total_steps")) or (finite(said.group(2)) if said else None)
    return int(total) if total and total > 0 else None


def from_checkpoint(checkpoint: dict[str, Any]) -> list[Point]:
    """Return the points of one checkpoint: full validation figures as a rule."""
    metrics = checkpoint.get("metrics") if isinstance(checkpoint.get("metrics"), dict) else {}
    step = finite(checkpoint.get("step_number"))
    step = step if step is not None else finite(metrics.get("step"))
    created = seconds(checkpoint.get("created_at"))
    if step is None or step < 1 or created is None:
        return []
    return [Point(key, int(step), value, int(created * 1000)) for key, value in _values(metrics).items()]


def merge(
    events: Iterable[dict[str, Any]],
    checkpoints: Iterable[dict[str, Any]] = (),
    rows: Iterable[tuple[str, float, float]] = (),
    created_at: float = 0.0,
) -> list[Point]:
    """Return each (key, step) once: events win over checkpoints, those over the result file's rows.

    Parameters
    ----------
    rows
        ``(metric, step, value)`` of the result file.
    created_at
        The job's, in seconds: rows have no time of their own and get this plus their step in milliseconds.
    """
    found: dict[tuple[str, int], Point] = {}
    sources = [from_event(event) for event in in_order(events)]
    sources += [from_checkpoint(checkpoint) for checkpoint in in_order(checkpoints)]
    start = int(created_at * 1000)
    sources.append(
        [
            Point(key, int(step), _nan(value), start + int(step))
            for key, step, value in rows
            if step >= 1 and math.isfinite(step)
        ]
    )
    for points in sources:
        for point in points:
            found.setdefault((point.key, point.step), point)
    return list(found.values())


def _values(data: dict[str, Any]) -> dict[str, float]:
    """Return the metrics among an object's fields; a null loss that is marked as not finite is NaN."""
    found: dict[str, float] = {}
    for name, value in data.items():
        key = METRICS.get(name.rsplit("/", 1)[-1])
        number = _number(value)
        if key is None:
            continue
        if number is not None:
            found.setdefault(key, _nan(number))
        elif value is None and data.get("nonfinite") and key.endswith("loss"):
            found.setdefault(key, math.nan)
    return found


def _said(event: dict[str, Any]) -> dict[str, float]:
    """Return the losses that a message such as ``Step 60/200: training loss=0.73`` tells."""
    message = _STEP.match(str(event.get("message") or ""))
    if not message:
        return {}
    return {_SAID_NAMES[name.lower()]: _nan(float(value)) for name, value in _SAID.findall(message.group(3))}


def _step(event: dict[str, Any]) -> int | None:
    data = event.get("data") if isinstance(event.get("data"), dict) else {}
    number = finite(data.get("step"))
    if number is None:
        said = _STEP.match(str(event.get("message") or ""))
        number = float(said.group(1)) if said else None
    return int(number) if number is not None else None


def _number(value: Any) -> float | None:
    """Return a number or None; "NaN" and "Infinity" as strings count, true and false do not. For losses."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def finite(value: Any) -> float | None:
    """Return a number that is one, or None: what a step, a time or a count must be."""
    number = _number(value)
    return number if number is not None and math.isfinite(number) else None


def seconds(value: Any) -> float | None:
    """Return a time as seconds since 1970, from a number or ISO 8601; None where it is neither."""
    number = finite(value)
    if number is not None:
        return number if abs(number) < LATEST_S else None
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _nan(value: float) -> float:
    return float(value) if math.isfinite(value) else math.nan
