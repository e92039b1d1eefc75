"""The benchmark's figures: means over loops, with intervals that resample tables (loops of a table are no new data)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.benchmark.loops import JOBS, TARGET, Loop

RESAMPLES = 2000
ENDED = "jobs to 2 %, a stop ends the loop"  # one that stops short of the target counts JOBS + 1
PLAYED_ON = "jobs to 2 %, stops ignored"


@dataclass(frozen=True)
class Figure:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 3 if self.mean < 0.5 else 2
        return f"{self.mean:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def by_table(loops: Sequence[Loop], value) -> Figure:
    """Mean over tables of the mean over a table's loops."""
    names = sorted({loop.table for loop in loops})
    means = np.array([np.mean([value(x) for x in loops if x.table == n]) for n in names])
    rng = np.random.default_rng(0)
    drawn = means[rng.integers(0, len(means), (RESAMPLES, len(means)))].mean(axis=1)
    return Figure(float(means.mean()), *map(float, np.quantile(drawn, [0.025, 0.975])))


def summary(loops: Sequence[Loop]) -> dict[str, Figure | float | int]:
    """All figures of one method."""
    out: dict[str, Figure | float | int] = {
        "loops": len(loops),
        ENDED: by_table(loops, lambda x: x.jobs_to_target_or_stop),
        PLAYED_ON: by_table(loops, lambda x: x.jobs_to_target),
        "regret@2": by_table(loops, lambda x: x.regrets[1]),
        "regret@3": by_table(loops, lambda x: x.regrets[2]),
        "regret@5": by_table(loops, lambda x: x.regrets[4]),
    }
    if any(x.stopped for x in loops):
        at_stop = [x.regrets[(x.stopped or JOBS) - 1] for x in loops]
        out["stop after"] = by_table(loops, lambda x: x.stopped or JOBS + 1)
        out["stops within 2 %"] = float(np.mean([r <= TARGET for r in at_stop]))
    return out


def worst_table(loops: Sequence[Loop]) -> tuple[str, float]:
    """The table on which the method needs the most jobs, and how many."""
    names = sorted({x.table for x in loops})
    means = {n: float(np.mean([x.jobs_to_target_or_stop for x in loops if x.table == n])) for n in names}
    worst = max(means, key=means.__getitem__)
    return worst, means[worst]
