"""A job's curves drawn with characters, some lines high.

Draws the loss alone, in the job's own steps; knows nothing of rules or colours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from advisor.nouns import Curve, Job
from advisor.tell.words import figure

WIDTH, HEIGHT = 64, 11  # characters of the plotting area
MARGIN = 13  # characters left of it
MARKS = {"train": "·", "valid": "o", "full_valid": "●"}  # later ones are drawn over earlier ones
HUGE = 1e30
LOG_FROM = 10.0  # highest over lowest loss: from here on a linear axis hides the low end
NAMES = {"train": "training", "valid": "validation batch", "full_valid": "whole validation set"}


def plot(job: Job, width: int = WIDTH, height: int = HEIGHT) -> str:
    """The job's losses over its steps as lines of text; empty where it has no finite loss."""
    curves = {name: curve for name in MARKS if len(curve := finite(getattr(job, name)))}
    if not curves:
        return ""
    steps = np.concatenate([c.step for c in curves.values()])
    low, high = limits(curves)
    bend, back = (np.log, np.exp) if low > 0 and high / low > LOG_FROM else (np.positive, np.positive)
    grid = np.full((height, width), " ", dtype="<U1")
    for name, curve in curves.items():
        across = scale(curve.step, steps.min(), steps.max(), width)
        if name != "full_valid":  # noisy: one mark a column, at its mean
            across, curve = _column_means(across, curve)
        up = scale(bend(np.clip(curve.loss, low, high)), bend(low), bend(high), height)
        grid[height - 1 - up, across] = MARKS[name]
    rows = [
        f"  {_tick(i, height, bend(low), bend(high), back):>9} ┤{''.join(row)}" for i, row in enumerate(grid)
    ]
    ends = f"{figure(steps.min())}{job.unit:^{width - 12}}"
    axis = f"  {'':>9} └{'─' * width}\n  {'':>10} {ends}{figure(steps.max()):>{width - len(ends)}}"
    legend = "   ".join(f"{MARKS[name]} {NAMES[name]}" for name in curves)
    return "\n".join([f"  loss      {legend}", *rows, axis])


def finite(curve: Curve) -> Curve:
    """The points that can be drawn; beyond HUGE a loss has overflowed in all but name."""
    ok = (np.abs(curve.loss) < HUGE) & (np.abs(curve.step) < HUGE)  # false for NaN too
    return Curve(curve.step[ok], curve.loss[ok])


def _column_means(across: np.ndarray, curve: Curve) -> tuple[np.ndarray, Curve]:
    columns, where = np.unique(across, return_inverse=True)
    mean = np.bincount(where, curve.loss) / np.bincount(where)
    return columns, Curve(columns.astype(float), mean)


def limits(curves: dict[str, Curve]) -> tuple[float, float]:
    """The losses that a picture spans: every loss on the whole validation set, and 96 % of the noisy ones."""
    ends = [
        (c.loss.min(), c.loss.max()) if name == "full_valid" else tuple(np.quantile(c.loss, (0.02, 0.98)))
        for name, c in curves.items()
    ]
    low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def scale(values: np.ndarray, low: float, high: float, cells: int) -> np.ndarray:
    """Which of `cells` each value falls in."""
    if not high > low:
        return np.full(len(values), cells // 2)
    share = (values - low) / (high - low)
    return np.minimum((share * cells).astype(int), cells - 1)


def _tick(row: int, height: int, low: float, high: float, back: Callable[[float], float]) -> str:
    if row not in (0, height // 2, height - 1):
        return ""
    return figure(back(high - (high - low) * row / (height - 1)), 3)
