"""Warm start: jobs on another model or other data tell how far this provider's scales lie from the library's.

Their losses are not comparable with ours; where their valleys lie, relative to the library, mostly is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.beliefs import LATTICE, Beliefs
from advisor.propose.limits import NOTICED, borne, heat, shift_evidence
from advisor.propose.mixture import guess
from advisor.propose.observe import observe
from advisor.propose.peers import is_kin, is_peer, strangers
from advisor.propose.series import base_loss, came_to_nothing, given_whole, told_base, validation
from advisor.propose.surfaces import Library

CARRIED = 0.7  # how far a shift found elsewhere is believed here
# What a setting is worth that is as hot as one of the same model that ended in vain on other data. A judgement: no
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


def too_hot_elsewhere(
    settings: np.ndarray, jobs: Sequence[Job], rate_name: str, proven: float = 0.0
) -> np.ndarray:
    """float[m]: TOO_HOT for settings as hot as a job of the newest's model and loss that stayed above its loss before
    training on other data, where no such job bore that heat, nor one here (`proven`).
    """
    kin = [(j, *_beside_base(j)) for j in strangers(jobs) if is_kin(j, jobs[-1])]
    lost = [j for j, lowest, _ in kin if lowest > NOTICED]
    well = [j for j, _, last in kin if last < -NOTICED]
    bearable = heat(given_whole(well, rate_name)).max(initial=proven)
    hot = heat(given_whole(lost, rate_name))
    lowest = hot[hot > bearable * (1 + 1e-6)].min(initial=np.inf)
    return np.where(heat(settings) >= lowest * (1 - 1e-6), TOO_HOT, 1.0)


def _beside_base(job: Job) -> tuple[float, float]:
    """By which share of the loss before training the lowest loss after it and the last lie above it: infinite where the
    job blew up, nought where nothing is told of it. What fell and rose again has overfitted; that is no matter of heat.
    """
    base = told_base([job])
    if came_to_nothing(job, base or np.inf):
        return np.inf, np.inf
    _, loss, whole = validation(job, stand_in=False)
    if not base or not whole or job.pending:
        return 0.0, 0.0
    return float(loss.min() / base - 1), float(loss[-1] / base - 1)


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
