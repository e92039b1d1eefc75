"""Warm start: jobs on another model or other data tell how far this provider's scales lie from the library's.

Their losses are not comparable with ours; where their valleys lie, relative to the library, mostly is.
"""

from __future__ import annotations

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.beliefs import LATTICE, Beliefs
from advisor.propose.mixture import guess
from advisor.propose.observe import observe
from advisor.propose.peers import is_peer
from advisor.propose.series import base_loss
from advisor.propose.surfaces import Library

CARRIED = 0.7  # how far a shift found elsewhere is believed here


def shifts_elsewhere(
    jobs: list[Job], space: SearchSpace, library: Library, beliefs: Beliefs, reference: float
) -> np.ndarray | None:
    """Log weight of each shift of the lattice by what other tasks showed; None where there are none."""
    total = None
    for group in _groups(jobs):
        base = base_loss(group)
        if base is None:
            continue
        valid, train = observe(group, space.rate_name, reference, base)
        if not len(valid):
            continue
        g = guess(valid, train, library, group[-1].n_train_examples, beliefs)
        shift = np.bincount(g.member % LATTICE.size, g.weight, minlength=LATTICE.size)
        said = np.log(CARRIED * shift + (1 - CARRIED) / len(shift))
        total = said if total is None else total + said
    return total


def _groups(jobs: list[Job]) -> list[list[Job]]:
    """Jobs that are peers of each other; the four latest groups."""
    out: list[list[Job]] = []
    for job in jobs:
        home = next((g for g in out if is_peer(job, g[0])), None)
        if home is None:
            out.append([job])
        else:
            home.append(job)
    return out[-4:]
