"""When a further job is not worth its cost: nothing untried is likely to bring a gain that matters."""

from __future__ import annotations

import numpy as np

from advisor.propose.surrogate import Posterior

MATTERS = 0.02  # of the gain so far: less is about what another seed changes
LIKELY = 0.15  # chance of such a gain below which a job is not worth it


def chance_of_gain(post: Posterior, best: float, free: np.ndarray) -> np.ndarray:
    """float[m]: chance that a setting beats `best` by what matters; 0 where it is taken."""
    gain = max(1.0 - best, 1e-6)
    return np.where(free, np.mean(post.samples < best - MATTERS * gain, axis=0), 0.0)


def should_stop(chance: np.ndarray, n_jobs: int) -> bool:
    return n_jobs >= 3 and float(chance.max(initial=0.0)) < LIKELY
