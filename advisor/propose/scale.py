"""The scale on which losses are compared across tasks: the log of the share of the attainable gain still missing.

0 share missing is the best that a task allows, 1 is the loss before tuning. On the log scale a surface keeps
its shape from task to task, and the valley around its best settings is as wide as its steep slopes.
"""

from __future__ import annotations

import numpy as np

SOFT = 0.04  # share added before the log: differences below it are no more than noise of a seed
WORST = 1.4  # a loss is capped at this many times the loss before tuning: beyond it a job is simply bad
TOP = float(np.log(WORST + SOFT))  # the cap on the scale


def to_scale(share: np.ndarray) -> np.ndarray:
    """Share of the gain still missing -> scale."""
    return np.log(np.maximum(share, 0.0) + SOFT)


def to_share(scaled: np.ndarray) -> np.ndarray:
    """Scale -> share of the gain still missing; the inverse of `to_scale`."""
    return np.exp(scaled) - SOFT


def train_scale(loss: np.ndarray, base: float) -> np.ndarray:
    """Training losses on a scale of their own: they have no best but zero."""
    return np.log(np.clip(loss / base, 0.0, WORST) + SOFT)
