"""Whether a running job should be stopped on what it has shown so far.

A job is worth its remaining epochs only if it may still end better than the best model known, its own
checkpoints included. Knows the jobs' curves alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.nouns import Job, Live, SearchSpace
from advisor.propose.peers import peers_of_newest
from advisor.propose.series import base_loss, clean

RISE = 0.01  # of the gain: a rise above the best of the job's own that noise does not explain


def judge(jobs: Sequence[Job], space: SearchSpace | None = None, prior: Any = None) -> Live:
    """Judge the newest job, if it is running, against all that is known."""
    if not jobs or jobs[-1].status != "running":
        return Live()
    job = jobs[-1]
    step, loss = clean(job.full_valid)
    step, loss = step[step > 0], loss[step > 0]
    if len(loss) < 2:
        return Live()
    peers = peers_of_newest(jobs)
    base = base_loss(peers) or float(loss.max())
    gain = max(base - loss.min(), 1e-9)
    if loss[-1] > loss[-2] and loss[-1] > loss.min() + RISE * gain:
        return Live(
            True, f"the loss rose from {loss.min():.4g} to {loss[-1]:.4g}: keep the earlier checkpoint"
        )
    known = [clean(j.full_valid)[1] for j in peers[:-1]]
    best = min((k.min() for k in known if len(k)), default=np.inf)
    fall = loss[-2] - loss[-1]
    left = (job.hyperparameters.n_epochs or len(loss)) - len(loss)
    if loss[-1] - max(fall, 0) * max(left, 0) > best + RISE * gain:
        return Live(True, f"at the last epoch's pace it cannot reach the best known loss {best:.4g}")
    return Live()
