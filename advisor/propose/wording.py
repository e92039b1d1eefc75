"""Says which rules carry a proposal and what to expect of it, with figures."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Diagnosis, HyperParameters, Job
from advisor.propose.surrogate import Posterior


def because(newest: Job, to: HyperParameters, diagnosis: Diagnosis) -> tuple[str, ...]:
    """Rules that fired and one of whose moves goes the way that the proposal goes from the newest job."""
    changes = directions(newest.hyperparameters, to)
    return tuple(f.rule for f in diagnosis.fired if any(changes.get(m.knob) == m.direction for m in f.moves))


def directions(a: HyperParameters, b: HyperParameters) -> dict[str, str]:
    """The knobs that differ, with up or down."""
    old, new = a.to_record(), b.to_record()
    both = {k for k in new if isinstance(new[k], int | float) and isinstance(old.get(k), int | float)}
    return {k: "up" if new[k] > old[k] else "down" for k in both if not np.isclose(new[k], old[k], rtol=1e-6)}


def expectation(post: Posterior, row: int, chance: float, base: float, best: float) -> str:
    low, high = np.quantile(post.samples[:, row], [0.1, 0.9]) * base
    return (
        f"final validation loss about {post.mean[row] * base:.3g} (8 in 10: {low:.3g} to {high:.3g}; "
        f"best so far {best * base:.3g}); {chance:.0%} chance of a gain that matters"
    )
