"""Reads the JSON that the rooms say to each other into nouns: lenient in values, strict in types.

Knows the record's field names and nothing of where a record came from. Unknown fields are ignored and any field
may be missing or null; only a wrong type is an error, and all errors of one record come together.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from advisor.nouns import AUTO, Curve, HyperParameters, Job
from advisor.nouns.job import OVERFLOW
from advisor.status import read_status
from advisor.unlikely import unlikely

RATES = ("learning_rate_multiplier", "learning_rate")
CURVES = {
    "train": "train_loss",
    "valid": "valid_loss",
    "full_valid": "full_valid_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_accuracy": "valid_mean_token_accuracy",
    "full_valid_accuracy": "full_valid_mean_token_accuracy",
}
LONG = 24  # characters of a text that are told whole; keys have more
TEXTS = ("id", "status", "provider", "model", "method", "lr_schedule")
SMALLEST = 1e-12  # no knob and no count is as small: ratios to it would overflow
COUNTS = (
    "n_train_examples",
    "n_valid_examples",
    "steps_per_epoch",
    "total_steps",
    "trained_tokens",
    "cost_usd",
)
FREE = "cost_usd"  # may be 0, where one trains at home; the others of 0 were not counted
NUMBERS = ("created_at", "seed", "base_valid_loss", *COUNTS)
MISSING = -1.0  # a loss that was not measured
UNDERFLOW = 1e-9  # no step is as small either: the same as step 0
WORDS = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}


class RecordError(ValueError):
    """A record has values of a wrong type. `problems` lists them all, one sentence each."""

    def __init__(self, problems: Sequence[str]):
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def read_job(record: Mapping[str, Any], place: str = "") -> Job:
    """A `Job` from its record; raises RecordError with every problem of the record.

    `place` says where the record stands among others, as "jobs[3]".
    """
    if not isinstance(record, Mapping):
        raise RecordError([f"{place or 'a job'} is {show(record)}; expected an object with the job's fields"])
    problems: list[str] = []
    doubts: list[str] = []
    fields: dict[str, Any] = {k: _text(record, k, problems) for k in TEXTS}
    fields["status"] = read_status(fields["status"], doubts)
    fields |= {k: _number(record, k, problems, doubts) for k in NUMBERS}
    fields |= {field: _curve(record, key, problems) for field, key in CURVES.items()}
    fields["hyperparameters"] = _hyperparameters(record.get("hyperparameters"), problems, doubts)
    fields["train_digest"] = _digest(record, "train_file", problems)
    fields["valid_digest"] = _digest(record, "valid_file", problems)
    fields["checkpoint_steps"] = _checkpoints(record.get("checkpoints"), problems)
    fields["metrics"] = _metrics(record.get("metrics"), problems)
    name = " ".join(filter(None, (place or "job", fields["id"] and f"({fields['id']})")))
    if problems:
        raise RecordError([f"{name}: {p}" for p in problems])
    job = Job(**fields)
    for doubt in (*doubts, *unlikely(job)):
        warnings.warn(f"{name}: {doubt}", stacklevel=2)
    return job


def read_hyperparameters(record: Mapping[str, Any] | None) -> HyperParameters:
    """Hyperparameters from their record; "auto", -1 and null mean that the provider has not resolved them."""
    problems: list[str] = []
    doubts: list[str] = []
    out = _hyperparameters(record, problems, doubts)
    if problems:
        raise RecordError(problems)
    for doubt in doubts:
        warnings.warn(doubt, stacklevel=2)
    return out


def _hyperparameters(given: Any, problems: list[str], doubts: list[str]) -> HyperParameters:
    if given is None:
        return HyperParameters()
    if not isinstance(given, Mapping):
        problems.append(f"hyperparameters is {show(given)}; expected an object")
        return HyperParameters()
    names = ("n_epochs", "batch_size", *RATES)
    knobs = {k: _knob_value(k, given.get(k), problems, doubts) for k in names}
    if given and not set(names) & given.keys():  # beside a knob that is known others may stand
        found = ", ".join(show(k).partition(" (")[0] for k in list(given)[:5])
        doubts.append(
            f"hyperparameters has none of {', '.join(names)}, but {found}: the setting is not known"
        )
    if all(knobs[rate] for rate in RATES):
        both = " and ".join(f"{rate} {knobs[rate]:g}" for rate in RATES)
        told = f"hyperparameters has both {both}; expected the one that the provider takes"
        doubts.append(f"{told}: {RATES[1]} is left out")
        knobs[RATES[1]] = None
    return HyperParameters(**knobs)


def _knob_value(name: str, value: Any, problems: list[str], doubts: list[str]) -> int | float | None:
    """The knob's value; one that no training can have is a doubt, as is NaN. -1 stands for "not resolved yet"."""
    if value is None or (isinstance(value, str) and value.strip().lower() == AUTO):
        return None
    if not is_number(value, finite=False):
        problems.append(f'hyperparameters.{name} is {show(value)}; expected a number, "auto" or null')
        return None
    if value == MISSING:
        return None
    whole = float(value).is_integer()
    if not SMALLEST <= value <= OVERFLOW or (name == "batch_size" and not whole):
        expected = f'a positive {"whole " * (name == "batch_size")}number, "auto", -1 or null'
        doubts.append(f"hyperparameters.{name} is {show(value)}; expected {expected}: taken as not known")
        return None
    return int(value) if whole and name not in RATES else float(value)


def _curve(record: Mapping[str, Any], key: str, problems: list[str]) -> Curve:
    rows = record.get(key)
    if rows is None:
        return Curve()
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        problems.append(f"{key} is {show(rows)}; expected a list of [step, value]")
        return Curve()
    if (plain := _plain(rows)) is not None:
        return Curve(*plain)
    points = []
    for i, row in enumerate(rows):
        point = _point(row)
        if point is None:
            problems.append(f"{key}[{i}] is {show(row)}; expected [step, value] with numbers, null or NaN")
            return Curve()
        points.append(point)
    table = np.array(points, dtype=float).reshape(-1, 2)
    table = table[~_placeholders(table[:, 1])]
    return Curve(table[:, 0], table[:, 1])


def _placeholders(loss: np.ndarray) -> np.ndarray:
    """bool[n]: values of -1 that stand for none, as some write it, in a curve not negative elsewhere."""
    return (loss == MISSING) & ~(loss[loss != MISSING] < 0).any()


def _plain(rows: Sequence[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Steps and values at once where all are pairs of bare numbers in bounds, as nearly always; else None."""
    if {*map(type, rows)} - {list, tuple} or {*map(len, rows)} - {2}:
        return None
    if {type(v) for row in rows for v in row} - {int, float}:  # of a curve that is long this is the dear part
        return None
    try:
        table = np.array(rows, dtype=float).reshape(-1, 2)
    except OverflowError:
        return None
    size = np.abs(table)
    odd = ((size[:, 0] < UNDERFLOW) & (size[:, 0] > 0)) | (table[:, 0] < 0) | (table[:, 1] == MISSING)
    return None if (size > OVERFLOW).any() or odd.any() else (table[:, 0], table[:, 1])


def _point(row: Any) -> tuple[float, float] | None:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < 2:
        return None
    step, value = _loss(row[0]), _loss(row[1])
    if step is None or value is None:
        return None
    if abs(value) > OVERFLOW:
        value = math.copysign(math.inf, value)
    if abs(step) > OVERFLOW or step <= -UNDERFLOW:  # no step is negative either: its place is not known
        step = math.nan
    return (0.0 if abs(step) < UNDERFLOW else step, value)


def _loss(value: Any) -> float | None:
    """A number, null, NaN or its name in words as a float; None where it is none of these."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        return WORDS.get(value.strip().lower())
    return float(value) if is_number(value, finite=False) else None


def _number(record: Mapping[str, Any], key: str, problems: list[str], doubts: list[str]) -> float | None:
    value = record.get(key)
    if value is None or (isinstance(value, str) and value.strip().lower() in WORDS):
        return None
    if not is_number(value, finite=False):
        problems.append(f"{key} is {show(value)}; expected a number or null")
        return None
    if key in COUNTS and value < SMALLEST:
        if value == 0 and key == FREE:
            return 0.0
        if value not in (0, MISSING):
            doubts.append(f"{key} is {show(value)}; expected a positive number: taken as not known")
        return None
    return value if abs(value) <= OVERFLOW else None  # NaN compares as false


def _text(record: Mapping[str, Any], key: str, problems: list[str]) -> str | None:
    value = record.get(key)
    if key == "method" and isinstance(value, Mapping):  # the API's own form: {"type": "supervised", ...}
        value = value.get("type")
    if value is None or isinstance(value, str):
        return value
    problems.append(f"{key} is {show(value)}; expected a text or null")
    return None


def _digest(record: Mapping[str, Any], key: str, problems: list[str]) -> str | None:
    value = record.get(key)
    if isinstance(value, Mapping):
        value = value.get("sha256")
    if value is None or isinstance(value, str):
        return value
    problems.append(f"{key} is {show(value)}; expected {{path, sha256}} or null")
    return None


def _checkpoints(given: Any, problems: list[str]) -> tuple[float, ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        problems.append(f"checkpoints is {show(given)}; expected a list of {{step, model}}")
        return ()
    steps = [c.get("step") for c in given if isinstance(c, Mapping)]
    return tuple(float(s) for s in steps if is_number(s))


def _metrics(given: Any, problems: list[str]) -> dict[str, float]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        problems.append(f"metrics is {show(given)}; expected an object of numbers by name")
        return {}
    return {str(k): float(v) for k, v in given.items() if is_number(v)}


def is_number(value: Any, *, finite: bool = True) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    if isinstance(value, int) and abs(value) > sys.float_info.max:  # hundreds of digits: no float holds it
        return False
    return not finite or math.isfinite(value)


def show(value: Any) -> str:
    """A value for an error message: its type and a short form, never a long user text."""
    text = repr(value)
    if isinstance(value, str | bytes) and len(text) > LONG:  # perhaps a key that stands in the wrong place
        text = f"{text[:7]}..., {len(value)} long"
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"
