"""Turns what loggers write into numbers, series and records, with every quirk met in the wild.

Knows the job record's field names; knows nothing of files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Point = tuple[float, float]  # (step, value)

SERIES = (
    "train_loss",
    "valid_loss",
    "full_valid_loss",
    "train_mean_token_accuracy",
    "valid_mean_token_accuracy",
    "full_valid_mean_token_accuracy",
)


def number(value: Any) -> float | None:
    """A number, or its text, as a float (NaN and infinities too); None for all else, blanks and null included."""
    if isinstance(value, bool) or value is None:
        return None
    if not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):  # OverflowError: an integer beyond any float
        return None


def finite(value: Any) -> float | None:
    """As `number`, but None where it is not finite: for settings, sizes and steps."""
    out = number(value)
    return out if out is not None and math.isfinite(out) else None


def whole(value: Any) -> int | None:
    """A finite number as an integer, None where it has a fraction or is not finite."""
    out = finite(value)
    return int(out) if out is not None and out.is_integer() else None


def tidy(value: float | None) -> int | float | None:
    """An integer where the number is whole, so that 3 epochs read `3` and not `3.0`."""
    return value if value is None or not math.isfinite(value) or value % 1 else int(value)


def points(steps: Iterable[Any], values: Iterable[Any]) -> list[Point]:
    """The points of one column, in file order; rows without a step or without a value are passed over."""
    there = [(step, value) for step, value in zip(steps, values, strict=True) if value and step]
    try:  # nearly always the texts are numbers all, and a log may have a million
        pairs = [(float(step), float(value)) for step, value in there]
    except (ValueError, TypeError, OverflowError):
        pairs = [(number(step), number(value)) for step, value in there]
    return [(s, v) for s, v in pairs if v is not None and s is not None and math.isfinite(s)]


def without_base(series: Sequence[Point]) -> tuple[float | None, list[Point]]:
    """Split off the evaluation before any training (step 0): its loss, and the points after it."""
    base = [value for step, value in series if step <= 0]
    return (base[0] if base else None), [point for point in series if point[0] > 0]


def make_record(
    name: str,
    series: Mapping[str, Sequence[Point]],
    hyperparameters: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A job record out of what a reader found; empty series and fields without a value are left out.

    Parameters
    ----------
    name
        The record's `id`.
    series
        Points by the record's field name. An evaluation at step 0 becomes `base_valid_loss`.
    hyperparameters
        Known settings; the others are null.
    fields
        Further fields of the record, None where unknown.
    """
    series = dict(series)
    base, rest = without_base(series.get("full_valid_loss", ()))
    series["full_valid_loss"] = rest
    fields.setdefault("base_valid_loss", base)
    known = {key: tidy(finite(value)) for key, value in (hyperparameters or {}).items()}
    record: dict[str, Any] = {
        "id": name,
        "hyperparameters": {k: v for k, v in known.items() if v is not None},
    }
    record |= {key: tidy(value) if isinstance(value, float) else value for key, value in fields.items()}
    record |= {key: _tidied(series[key]) for key in SERIES if series.get(key)}
    return {key: value for key, value in record.items() if value is not None}


def _tidied(series: Sequence[Point]) -> list[list[float]]:
    """The points as a record has them, a whole step as an integer; without a call per point, for there may be a million."""
    return [[int(step) if step % 1 == 0 else step, value] for step, value in series]
