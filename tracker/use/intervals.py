"""95 % intervals of mean scores that hold up on small test files, where the plain normal one claims certainty at 0 or 1.

Right-or-wrong scores get Wilson's interval (1927), their paired differences Bonett and Price's (2012); other scores the
normal interval of their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NORMAL_95 = 1.96

Interval = tuple[float, float]


def stderr(values: Sequence[float]) -> float | None:
    """The standard error of a mean; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = sum(values) / n
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)


def of_mean(values: Sequence[float]) -> Interval | None:
    """The interval of a mean score; None where there is too little to tell."""
    if values and set(values) <= {0, 1}:
        return wilson(sum(values), len(values))
    return _normal(values)


def of_gain(gains: Sequence[float]) -> Interval | None:
    """The interval of a mean difference, example by example; None where there is too little to tell."""
    if gains and set(gains) <= {-1, 0, 1}:
        return bonett_price(sum(g > 0 for g in gains), sum(g < 0 for g in gains), len(gains))
    return _normal(gains)


def wilson(right: float, n: int) -> Interval:
    """Wilson's score interval of a proportion."""
    z2 = NORMAL_95**2
    centre = (right + z2 / 2) / (n + z2)
    half = NORMAL_95 / (n + z2) * math.sqrt(right * (n - right) / n + z2 / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def bonett_price(better: int, worse: int, n: int) -> Interval:
    """Bonett and Price's adjusted Wald interval of a difference of paired proportions."""
    up, down = (better + 1) / (n + 2), (worse + 1) / (n + 2)
    half = NORMAL_95 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def _normal(values: Sequence[float]) -> Interval | None:
    error = stderr(values)
    if error is None:
        return None
    mean = sum(values) / len(values)
    return mean - NORMAL_95 * error, mean + NORMAL_95 * error
