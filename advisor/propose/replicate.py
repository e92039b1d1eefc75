"""A second seed where the two best settings cannot be told apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from advisor.nouns import Job, Proposal, SearchSpace
from advisor.propose.grid import same
from advisor.propose.task import Task

NOISE = 0.01  # of the gain: what another seed changes in a final loss, on the benchmark's tables


def replicate(task: Task, peers: Sequence[Job], space: SearchSpace) -> list[Proposal]:
    """The best setting once more, with a new seed, where the best other one lies within the noise; else nothing, and
    why.
    """
    obs, ends = task.obs, task.obs.ends
    again = [i for i in ends if same(obs.logs[i], obs.logs[ends[0]])]
    others = [i for i in ends if i not in again]
    if not others:
        jobs = f"{len(ends)} job{'s' * (len(ends) != 1)} of this task"
        return _none(f"{jobs} ended with a loss, and it takes two of different settings")
    first, second = ends[0], others[0]
    gap = (obs.surely[second] - obs.surely[first]) / max(obs.base - obs.surely[first], 1e-9)
    names = [peers[obs.job[i]].id or "a job" for i in (first, second)]
    lead = f"{names[0]} leads {names[1]} by {gap:.1%} of the gain"
    if len(again) > 1:
        return _none(f"the setting of {names[0]} has run {len(again)} times already")
    if gap > NOISE:
        return _none(f"{lead}, and another seed changes about {NOISE:.0%}")
    text = f"replicate: the same setting with a new seed, since {lead} alone, and another seed changes about {NOISE:.0%}"
    return [Proposal(peers[obs.job[first]].hyperparameters, expect=text)]


def _none(why: str) -> list[Proposal]:
    warnings.warn(f"no replicate is offered: {why}", stacklevel=4)
    return []
