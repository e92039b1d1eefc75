"""Where a provider's learning rates lie: the rate relative to which the prior is stated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.beliefs import LATTICE
from advisor.propose.series import diverged, validation

LEGACY = 0.5  # a multiplier that may not exceed this is on the legacy scale of 0.02 to 0.2
ABSOLUTE = 1e-4  # usual learning rate of LoRA tuning, where nothing else is known


def reference_rate(space: SearchSpace) -> float:
    """The provider's own rate: 1 for a multiplier, 0.1 on the legacy scale; absolute rates lie about their
    list's middle.
    """
    top = space.rate.values[-1] if space.rate.values else space.rate.high
    if space.rate_name == "learning_rate_multiplier":
        return 1.0 if top > LEGACY else 0.1
    if len(space.rate.values) > 2:
        return float(np.sqrt(space.rate.values[0] * space.rate.values[-1]))
    return float(space.rate.nearest(ABSOLUTE))


def reference_by(space: SearchSpace, jobs: Sequence[Job]) -> float:
    """The reference by what the jobs showed: an absolute rate has no default, 1e-4 is a guess that they overrule.

    Where the best of them lies farther off than the library's surfaces are shifted, and one nearer to the guess did
    worse, it is moved as far as lets a surface have its valley there.
    """
    guess = reference_rate(space)
    if space.rate_name != "learning_rate":
        return guess
    ended = _comparable([(j.hyperparameters.learning_rate, *validation(j)[1:]) for j in jobs if _tells(j)])
    if not ended:
        return guess
    _, best = ended[0]
    nearer = [rate for _, rate in ended[1:] if min(guess, best) < rate < max(guess, best)]
    within = 2.0 ** LATTICE.rate.max()
    return float(np.clip(guess, best / within, best * within)) if nearer else guess


def _comparable(ended: list[tuple[float, np.ndarray, bool]]) -> list[tuple[float, float]]:
    """Last losses with their rates, lowest first: of whole validation sets where there are any, since losses of batches and
    of training lie elsewhere.
    """
    whole = any(w for *_, w in ended)
    return sorted((float(loss[-1]), float(rate)) for rate, loss, w in ended if w or not whole)


def _tells(job: Job) -> bool:
    rate = job.hyperparameters.learning_rate
    known = isinstance(rate, int | float) and 0 < rate < np.inf
    return known and job.succeeded and not diverged(job) and len(validation(job)[1]) > 0
