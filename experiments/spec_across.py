"""Mistakes of a SPEC.toml that show only between its keys, told together with those of the single keys.

Works on the parsed TOML as it stands, so that one bad key hides none of the others; of a key that is itself wrong it
says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")


def problems(data: dict[str, Any]) -> list[str]:
    """One sentence per mistake."""
    return [*_objective(data), *_same_file(data), *_start(data)]


def _objective(data: dict[str, Any]) -> Iterator[str]:
    """The loop can go by what is measured alone."""
    objective, test = data.get("objective", "final"), data.get("eval")
    measured = ["final", "best_checkpoint"]
    if isinstance(test, dict):
        measured.append(str(test.get("metric", "exact_match")))
    if isinstance(objective, str) and objective not in measured:
        yield (
            f"objective is {objective!r}; expected {' or '.join(measured)}; "
            "another metric needs an [eval] table that measures it"
        )


def _same_file(data: dict[str, Any]) -> Iterator[str]:
    if isinstance(data.get("valid"), str) and data["valid"] == data.get("train"):
        yield f"valid is {data['valid']!r}, as train is; expected examples that no job is trained on"


def _start(data: dict[str, Any]) -> Iterator[str]:
    """The first job keeps to the limits that the spec sets the others."""
    start, space = data.get("start"), data.get("space")
    if not isinstance(start, dict) or not isinstance(space, dict):
        return
    for knob in KNOBS:
        value, limits = start.get(knob), space.get(knob)
        if _number(value) and not _inside(value, limits):
            yield f"start.{knob} is {value:g}; expected a value within space.{knob}, {limits}"


def _inside(value: float, limits: Any) -> bool:
    """Whether limits bear a value; limits that are themselves wrong bear any."""
    if isinstance(limits, list) and limits and all(map(_number, limits)):
        return value in limits
    if isinstance(limits, dict) and _number(limits.get("min")) and _number(limits.get("max")):
        return limits["min"] > limits["max"] or limits["min"] <= value <= limits["max"]
    return True


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
