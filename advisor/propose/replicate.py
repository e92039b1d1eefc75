"""A second seed where the two best settings cannot be told apart."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, Proposal, SearchSpace
from advisor.propose.observe import END
from advisor.propose.task import Task

NOISE = 0.01  # of the gain: what another seed changes in a final loss, on the benchmark's tables


def replicate(task: Task, peers: Sequence[Job], space: SearchSpace) -> list[Proposal]:
    """The best setting once more, with a new seed, where the runner-up lies within the noise; else nothing, and why."""
    ends = np.flatnonzero(task.obs.kind == END)
    if len(ends) < 2:
        return _none(
            f"{len(ends)} job{'s' * (len(ends) != 1)} of this task ended with a loss, and it takes two"
        )
    first, second = ends[np.argsort(task.obs.loss[ends])[:2]]
    gap = (task.obs.loss[second] - task.obs.loss[first]) / max(task.obs.base - task.obs.loss[first], 1e-9)
    names = [peers[task.obs.job[i]].id or "a job" for i in (first, second)]
    lead = f"{names[0]} leads {names[1]} by {gap:.1%} of the gain"
    if gap > NOISE:
        return _none(f"{lead}, and another seed changes about {NOISE:.0%}")
    text = f"replicate: the same setting with a new seed, since {lead} alone, and another seed changes about {NOISE:.0%}"
    return [Proposal(peers[task.obs.job[first]].hyperparameters, expect=text)]


def _none(why: str) -> list[Proposal]:
    warnings.warn(f"no replicate is offered: {why}", stacklevel=4)
    return []
