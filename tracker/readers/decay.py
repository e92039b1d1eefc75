"""The learning rate that a run was set to, from the rates that were logged while it decayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from statistics import median

from tracker.readers.values import Point

# What is left of the rate after a share of the steps, as transformers schedules it.
DECAYS: tuple[Callable[[float], float], ...] = (
    lambda share: 1 - share,
    lambda share: (1 + math.cos(math.pi * share)) / 2,
)
COUNTED = (
    0,
    1,
)  # steps behind the one that is logged: versions differ in whether a rate is the last or the next step's
SAME = 0.01  # logs of one decay agree on its beginning to a hundredth
EXACT = 0.001


def peak_rate(points: Sequence[Point], total: float | None) -> float | None:
    """The rate that was set, from `points` (step, rate) and the run's steps; the highest logged where that is not told.

    By its first log a linear or cosine decay has taken something off, and how much is known; what a warm-up within
    these steps took off the decay is not, nor where between two logs a warm-up ended. So the rate lies between the
    highest logged and the decay's beginning: of these it is the one of fewest digits, for such rates are what people set; but where the decay begins at two digits
    to a thousandth, that is the rate: a warm-up of 1 to 10 % sets off no usual rate to such a beginning.
    """
    rates = [(step, rate) for step, rate in points if rate > 0]
    highest = max((rate for _, rate in rates), default=None)
    if highest is None or not total or rates[-1][1] > (1 - SAME) * highest:
        return highest
    peak = next(i for i, (_, rate) in enumerate(rates) if rate == highest)
    begin = _top(rates[peak - 1][0], *rates[peak], total) if peak else _beginning(rates, total)
    if begin is None or begin < highest:
        return highest
    for likely in (highest, begin) if peak else (begin,):
        short = float(f"{likely:.1e}")
        if short >= highest and abs(short / likely - 1) <= EXACT:
            return short
    return _roundest(highest, begin)


def _top(before: float, step: float, rate: float, total: float) -> float:
    """What a warm-up reached at most that ended between two logs, the later one at `rate`."""
    return rate * (total - before) / max(total - step, step - before)


def _beginning(rates: Sequence[Point], total: float) -> float | None:
    """Where the decay began on whose course all rates lie; None where they lie on none."""
    courses = []
    for left, counted in product(DECAYS, COUNTED):
        begins = [r / left((s - counted) / total) for s, r in rates if counted <= s < 0.99 * total]
        if len(begins) > 1:
            courses.append(((max(begins) - min(begins)) / max(begins), median(begins)))
    apart, begin = min(courses, default=(1.0, None))
    return begin if apart <= SAME else None


def _roundest(low: float, high: float) -> float:
    """The highest number of fewest significant digits from `low` to `high`; `low` where four are not enough."""
    for digits in range(4):
        unit = 10.0 ** (math.floor(math.log10(high)) - digits)
        rounded = math.floor(high / unit * (1 + SAME / 10)) * unit
        if rounded >= low * (1 - 1e-9):
            return float(f"{rounded:.{digits + 1}g}")
    return low
