"""What a single value of a SPEC.toml may be: each function returns it, or raises ValueError with what was expected."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlsplit


def count_or_auto(value: Any) -> int | str:
    if value == "auto" or (type(value) is int and value >= 1):
        return value
    raise ValueError('expected a whole number of at least 1, or "auto"')


def rate_or_auto(value: Any) -> float | str:
    if value == "auto" or (type(value) in (int, float) and 0 < value < math.inf):
        return value
    raise ValueError('expected a number above 0, or "auto"')


def limits(value: Any) -> list[float] | dict[str, float]:
    """A list of allowed values, or {min, max}: as the advisor's search space has it."""
    if isinstance(value, list) and value and all(map(positive, value)):
        return value
    if isinstance(value, dict) and value.keys() == {"min", "max"}:
        low, high = value["min"], value["max"]
        if positive(low) and positive(high) and low <= high:
            return value
    raise ValueError("expected a list of numbers above 0, or {min = A, max = B} with 0 < A <= B")


def positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def metric(value: str) -> str:
    """A metric that can be measured: found out before a job is paid for."""
    from tracker.errors import InputError
    from tracker.use.metrics import find_metric

    try:
        find_metric(value)
    except InputError as error:
        raise ValueError(str(error).replace("--metric", "the metric")) from None
    return value


def provider(value: str) -> str:
    from tracker.providers import NAMES

    if value not in NAMES:
        raise ValueError(f"expected {', '.join(NAMES)}")
    return value


def address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address such as https://api.openai.com/v1")
    return value
