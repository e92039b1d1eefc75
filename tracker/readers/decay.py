"""The learning rate that a run was set to, from the rates that were logged while it decayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

from tracker.readers.values import Point

# What is left of the rate after a share of the steps, as transformers schedules it.
DECAYS: tuple[Callable[[float], float], ...] = (
    lambda share: 1 - share,
    lambda share: (1 + math.cos(math.pi * share)) / 2,
)
SAME = 0.01  # logs of one decay agree on its beginning to a hundredth: steps may be counted from 0 or from 1
EXACT = 0.001


def peak_rate(points: Sequence[Point], total: float | None) -> float | None:
    """The rate that was set, from `points` (step, rate) and the run's steps; the highest logged where that is not told.

    By its first log a linear or cosine decay has taken something off, and how much is known; what a warm-up within
    these steps took off the decay is not. So the rate lies between the first logged and the decay's beginning: of
    these it is the one of fewest digits, for such rates are what people set; but where the decay begins at two digits
    to a thousandth, that is the rate: a warm-up of 1 to 10 % sets off no usual rate to such a beginning.
    """
    rates = [(step, rate) for step, rate in points if rate > 0]
    highest = max((rate for _, rate in rates), default=None)
    if highest is None or not total or rates[0][1] < highest or rates[-1][1] > (1 - SAME) * highest:
        return highest
    for left in DECAYS:
        begins = [rate / left(step / total) for step, rate in rates if 0 <= step < 0.99 * total]
        if len(begins) > 1 and max(begins) - min(begins) <= SAME * max(begins):
            begin = median(begins)
            short = float(f"{begin:.1e}")
            exact = short >= highest and abs(short / begin - 1) <= EXACT
            return short if exact else _roundest(highest, begin)
    return highest


def _roundest(low: float, high: float) -> float:
    """The highest number of fewest significant digits from `low` to `high`; `low` where four are not enough."""
    for digits in range(4):
        unit = 10.0 ** (math.floor(math.log10(high)) - digits)
        rounded = math.floor(high / unit * (1 + SAME / 10)) * unit
        if rounded >= low * (1 - 1e-9):
            return float(f"{rounded:.{digits + 1}g}")
    return low
