"""Whether a curve has any course at all, or is no more than noise around one level. Knows numbers and no rule."""

from __future__ import annotations

import numpy as np

ENOUGH = 10  # points; fewer take on many a course by chance
IN_ORDER = 4  # points that fall one after the other, or rise: each 1 in 24 by chance
SPIKE = 6.0  # standard deviations of a point off both its neighbours: an outlier, which would drown the rest


def told_from_noise(loss: np.ndarray, noise: float) -> bool | None:
    """Whether independent noise around one level looks like this in two of a hundred cases, or fewer, by any of three tests.

    The share of the variance that the best split in a before and an after explains, which finds early drops (critical
    values from 6,000 draws for each of 10 lengths up to 1,000); the share that a straight line explains (three
    standard errors), which finds slow falls; and von Neumann's ratio of the squared successive differences to the
    variance, which finds any smooth course.

    Parameters
    ----------
    loss : ndarray
        The points in the order of their steps.
    noise : float
        Standard deviation of a point, by which outliers are told.

    Returns
    -------
    bool or None
        None where there are too few points to tell.
    """
    n = len(loss)
    if n < ENOUGH:
        ordered = n >= IN_ORDER and abs(np.sign(np.diff(loss)).sum()) == n - 1
        return True if ordered else None
    off = _without_outliers(loss, noise)
    off = off - off.mean()
    largest = np.abs(off).max()
    if largest <= 1e-12 * np.abs(loss).max():  # differences by rounding alone
        return False
    off = off / largest
    variance = float(np.sum(off**2))
    before, place = np.arange(1, n), np.arange(n) - (n - 1) / 2
    split = np.max(np.cumsum(off)[:-1] ** 2 * n / (before * (n - before))) / variance
    line = np.sum(place * off) ** 2 / np.sum(place**2) / variance
    ratio = np.sum(np.diff(off) ** 2) / variance
    smooth = ratio < 2 - 2.33 * 2 * np.sqrt((n - 2) / (n * n - 1))
    return bool(split > 13 / (n + 7) or line > 9 / (n + 7) or smooth)


def _without_outliers(loss: np.ndarray, noise: float) -> np.ndarray:
    """Points far off both neighbours moved to the nearer of these; the ends stay, for an early drop is real."""
    middle = np.median([loss[:-2], loss[1:-1], loss[2:]], axis=0)
    out = loss.copy()
    out[1:-1] = np.where(np.abs(loss[1:-1] - middle) > SPIKE * noise, middle, loss[1:-1])
    return out
