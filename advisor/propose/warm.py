"""Warm start: jobs on another model or other data tell how far this provider's scales lie from the library's.

Their losses are not comparable with ours; where their valleys lie, relative to the library, mostly is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.beliefs import LATTICE, Beliefs
from advisor.propose.limits import borne, heat, shift_evidence
from advisor.propose.mixture import guess
from advisor.propose.observe import observe
from advisor.propose.peers import is_kin, is_peer, strangers
from advisor.propose.series import base_loss, came_to_nothing, given, validation
from advisor.propose.surfaces import Library

CARRIED = 0.7  # how far a shift found elsewhere is believed here
# What a setting is worth that is as hot as one of the same model that came to nothing on other data. A judgement: no
# benchmark has such jobs
TOO_HOT = 0.3


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
        broken, _ = borne(group, space.rate_name, reference, base)
        limit = shift_evidence(broken, reference)
        if not len(valid) and limit is None:
            continue
        g = guess(valid, train, library, group[-1].n_train_examples, beliefs, limit)
        shift = np.bincount(g.member % LATTICE.size, g.weight, minlength=LATTICE.size)
        said = np.log(CARRIED * shift + (1 - CARRIED) / len(shift))
        total = said if total is None else total + said
    return total


def too_hot_elsewhere(settings: np.ndarray, jobs: Sequence[Job], rate_name: str) -> np.ndarray:
    """float[m]: TOO_HOT for settings as hot as a job of the newest's model and loss that ended above its loss before
    training.
    """
    kin = [j for j in strangers(jobs) if is_kin(j, jobs[-1])]
    known = np.array([given(j, rate_name) for j in kin if _in_vain(j)]).reshape(-1, 3)
    lowest = np.nanmin(heat(known), initial=np.inf)
    return np.where(heat(settings) >= lowest * (1 - 1e-6), TOO_HOT, 1.0)


def _in_vain(job: Job) -> bool:
    base = base_loss([job]) or np.inf
    loss = validation(job, stand_in=False)[1]
    return came_to_nothing(job, base) or bool(len(loss) and loss[-1] > base)


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
