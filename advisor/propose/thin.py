"""Few weighted points in place of very many that stand for the same distribution."""

from __future__ import annotations

import numpy as np


def thinned(weight: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `count` (1 or more) places in `weight` float[n], ascending, and new weights for them, which sum to 1.
    Weights are finite, none is negative and one at least is above 0.

    Heavy points stay with the weights that they have; of the rest, every so much of their weight one is drawn, at
    equal distances in their order, and gets that much. So means over the points drawn are about those over all, and the
    nearer the neighbours are alike the closer: the optimal resampling of Fearnhead and Clifford (2003), without dice.
    """
    share = weight / weight.sum()
    if len(share) <= count:
        return np.arange(len(share)), share
    heavy = _heavy(share, count)
    rest = np.where(heavy, 0.0, share)
    left = count - int(heavy.sum())
    each = rest.sum() / left
    drawn = np.searchsorted(np.cumsum(rest), (np.arange(left) + 0.5) * each)
    times = np.bincount(np.minimum(drawn, len(share) - 1), minlength=len(share))
    out = np.where(heavy, share, times * each)
    kept = np.flatnonzero(out)
    return kept, out[kept] / out[kept].sum()


def _heavy(share: np.ndarray, count: int) -> np.ndarray:
    """bool[n]: the points that weigh at least what one drawn of all lighter ones would; fewer than `count`."""
    top = np.argpartition(-share, count)[:count]
    top = top[np.argsort(-share[top], kind="stable")]
    lighter = 1 - np.append(0.0, np.cumsum(share[top])[:-1])  # weight of each and of all lighter ones
    light = share[top] * (count - np.arange(count)) < lighter
    heavy = np.zeros(len(share), bool)
    heavy[top[: np.argmax(light) if light.any() else count - 1]] = True
    return heavy
