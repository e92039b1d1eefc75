"""Reads the settings that a proposal may take from JSON: lists of values, or ranges. Strict, for a job costs money."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from advisor.nouns import Job, Knob, SearchSpace
from advisor.records import RATES, RecordError, is_number, show

# What a knob may be where the space does not say: the widest limits that any known provider documents.
DEFAULT_SPACE = {
    "n_epochs": {"min": 1, "max": 50},
    "batch_size": {"min": 1, "max": 256},
    "learning_rate_multiplier": {"min": 0.02, "max": 10},
}
COVERED = {"n_epochs": (1, 12), "batch_size": (4, 32)}  # by the tables that the shipped prior is made of
KNOBS = ("n_epochs", "batch_size", *RATES)


def read_space(record: Mapping[str, Any] | None) -> SearchSpace:
    """A `SearchSpace` from its record; a knob that is missing has the widest limits that providers document."""
    problems: list[str] = []
    if record is not None and not isinstance(record, Mapping):
        raise RecordError(
            [f"space is {show(record)}; expected an object with a list or {{min, max}} per knob"]
        )
    unknown = [str(k) for k in record or {} if k not in KNOBS]
    if unknown:  # a limit that does not hold is worth a word; other rooms' fields are no reason to fail
        told = f"space: no knobs, so no limits: {', '.join(unknown)}; the knobs are {', '.join(KNOBS)}"
        warnings.warn(told, stacklevel=2)
    given = {k: v for k, v in (record or {}).items() if v is not None}
    rate = "learning_rate" if "learning_rate" in given and RATES[0] not in given else RATES[0]
    knobs = {
        k: _knob(k, given.get(k, DEFAULT_SPACE.get(k)), problems) for k in ("n_epochs", "batch_size", rate)
    }
    if problems:
        raise RecordError(problems)
    return SearchSpace(knobs["n_epochs"], knobs["batch_size"], knobs[rate], rate)


def _knob(name: str, given: Any, problems: list[str]) -> Knob:
    integer = name not in RATES
    if isinstance(given, Mapping):
        low, high = given.get("min"), given.get("max")
        if (
            is_number(low)
            and is_number(high)
            and 0 < low <= high
            and (not integer or math.floor(high) >= low)
        ):
            return Knob(low=float(low), high=float(high), integer=integer)
        problems.append(f"space.{name} is {show(given)}; expected {{min, max}} with 0 < min <= max")
    elif isinstance(given, Sequence) and not isinstance(given, str):
        if given and all(is_number(v) and v > 0 and not (integer and v % 1) for v in given):
            return Knob(
                values=tuple(sorted({int(v) if float(v).is_integer() and integer else v for v in given})),
                integer=integer,
            )
        problems.append(
            f"space.{name} is {show(given)}; expected a list of positive {'whole ' * integer}numbers"
        )
    else:
        problems.append(f"space.{name} is {show(given)}; expected a list of values or {{min, max}}")
    return Knob()


def default_space(jobs: Sequence[Job]) -> SearchSpace:
    """The space where none is given: rates as wide as providers document, with the knob that the jobs have.

    Epochs and batch sizes are those that the shipped tables cover, or twice as far out as any job went: beyond
    that neither says anything, and a guess would cost a job.
    """
    absolute = any(
        j.hyperparameters.learning_rate is not None and j.hyperparameters.learning_rate_multiplier is None
        for j in jobs
    )
    rate = {"learning_rate": {"min": 1e-7, "max": 1e-1}} if absolute else {}
    return read_space({knob: around(knob, jobs) for knob in COVERED} | rate)


def by_the_rates_of(jobs: Sequence[Job], space: SearchSpace) -> SearchSpace:
    """The space with the learning-rate knob that the jobs have, where the provider's own counts otherwise."""
    asked = default_space(jobs)
    if not jobs or asked.rate_name == space.rate_name:
        return space
    return replace(space, rate=asked.rate, rate_name=asked.rate_name)


def around(knob: str, jobs: Sequence[Job]) -> dict[str, float]:
    """The range of `COVERED`, widened to twice beyond what the jobs tried, within what providers document."""
    low, high = COVERED[knob]
    tried = [v for j in jobs if is_number(v := getattr(j.hyperparameters, knob)) and v > 0]
    limit = DEFAULT_SPACE[knob]
    least, most = min([low, *(v / 2 for v in tried)]), max([high, *(2 * v for v in tried)])
    return {"min": max(int(least), limit["min"]), "max": max(min(int(most), limit["max"]), high)}
