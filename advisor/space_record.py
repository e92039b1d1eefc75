"""Reads the settings that a proposal may take from JSON: lists of values, or ranges. Strict, for a job costs money."""

from __future__ import annotations

import math
import re
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
# OpenAI's first base models, tuned or not: their multipliers lie between 0.02 and 0.2, by its legacy guide.
LEGACY = re.compile(r"(ft:)?(ada|babbage|curie|davinci)(-|:|$)")


def read_space(record: Mapping[str, Any] | None) -> SearchSpace:
    """A `SearchSpace` from its record; a knob that is missing has the widest limits that providers document.

    Raises RecordError with everything that is wrong, knobs of another name included: a limit that would not hold.
    """
    if record is not None and not isinstance(record, Mapping):
        raise RecordError(
            [f"space is {show(record)}; expected an object with a list or {{min, max}} per knob"]
        )
    given = {k: v for k, v in (record or {}).items() if v is not None}
    problems = [
        f"space.{k} is no knob, so it would limit nothing; expected {', '.join(KNOBS)}"
        for k in given
        if k not in KNOBS
    ]
    if all(rate in given for rate in RATES):
        problems.append(
            f"space has both {' and '.join(RATES)}; expected the one that the jobs take: leave out the other"
        )
    rate = "learning_rate" if "learning_rate" in given and RATES[0] not in given else RATES[0]
    knobs = {
        k: _knob(k, given.get(k, DEFAULT_SPACE.get(k)), problems) for k in ("n_epochs", "batch_size", rate)
    }
    if problems:
        raise RecordError(problems)
    return SearchSpace(knobs["n_epochs"], knobs["batch_size"], knobs[rate], rate, frozenset(given))


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
    """The space where none is given: rates as wide as providers document, with the newest job's knob and scale.

    Epochs and batch sizes are those that the shipped tables cover, or twice as far out as any job went: beyond
    that neither says anything, and a guess would cost a job.
    """
    newest = next((j for j in reversed(jobs) if any(_rates(j))), Job())
    multiplier, absolute = _rates(newest)
    rate = {}
    if absolute and not multiplier:
        rate = {"learning_rate": {"min": 1e-7, "max": 1e-1}}
    elif LEGACY.match(newest.model or ""):
        rate = {"learning_rate_multiplier": {"min": 0.02, "max": 0.2}}
    return read_space({knob: around(knob, jobs) for knob in COVERED} | rate)


def _rates(job: Job) -> tuple[float | None, float | None]:
    return job.hyperparameters.learning_rate_multiplier, job.hyperparameters.learning_rate


def by_the_rates_of(jobs: Sequence[Job], space: SearchSpace) -> SearchSpace:
    """The space with the learning-rate knob of the newest job that has one; the provider's own where none has."""
    asked = default_space(jobs)
    if asked.rate_name == space.rate_name or not any(any(_rates(j)) for j in jobs):
        return space
    return replace(space, rate=asked.rate, rate_name=asked.rate_name)


def by_the_jobs(jobs: Sequence[Job], space: SearchSpace) -> SearchSpace:
    """The space with the jobs' own rate knob and scale where it limits none; warns of another than theirs."""
    own = default_space(jobs)
    if not space.limited & set(RATES):
        return replace(space, rate=own.rate, rate_name=own.rate_name)
    theirs = [j for j in jobs if any(_rates(j))]
    if theirs and all(getattr(j.hyperparameters, space.rate_name) is None for j in theirs):
        told = f"the space limits {space.rate_name}, and the jobs have {own.rate_name}: their rates tell nothing of it"
        warnings.warn(f"{told}; name the knob that the jobs have", stacklevel=3)
    return space


def completed(space: SearchSpace, usual: SearchSpace) -> SearchSpace:
    """The space with the knobs that it does not limit as they usually are: the provider's, on the jobs' scale."""
    rest = {k: getattr(usual, k) for k in COVERED if k not in space.limited}
    if not space.limited & set(RATES):
        rest |= {"rate": usual.rate, "rate_name": usual.rate_name}
    return replace(space, **rest, limited=space.limited | usual.limited)


def around(knob: str, jobs: Sequence[Job]) -> dict[str, float]:
    """The range of `COVERED`, widened to twice beyond what the jobs tried, within what providers document."""
    low, high = COVERED[knob]
    tried = [v for j in jobs if is_number(v := getattr(j.hyperparameters, knob)) and v > 0]
    limit = DEFAULT_SPACE[knob]
    least, most = min([low, *(v / 2 for v in tried)]), max([high, *(2 * v for v in tried)])
    return {"min": max(int(least), limit["min"]), "max": max(min(int(most), limit["max"]), high)}
