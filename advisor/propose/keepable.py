"""Where a job's model could be kept, and what it was worth there."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Job
from advisor.propose.batches import WIDTH, doubt, levels, lowest_by_then
from advisor.propose.series import validation


def keepable(job: Job) -> tuple[np.ndarray, np.ndarray, float]:
    """Steps and validation losses at which a model could be kept, and how far luck may have made them."""
    step, loss, whole = validation(job, stand_in=False)
    if not whole:
        return *_level_of_batches(job, step, loss), doubt(loss)
    have = np.isin(step, job.checkpoint_steps)
    return (step[have], loss[have], 0.0) if have.any() else (step, loss, 0.0)


def _level_of_batches(job: Job, step: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one step that is worth keeping, and the mean of the batches around it: one batch is luck.

    The end, unless a level before it was lower by more than luck: then its middle, or the checkpoint nearest to it.
    """
    if not len(loss):
        return step, loss
    level, low = levels(loss), lowest_by_then(loss)[-1]
    if low == level[-1]:
        return step[-1:], level[-1:]
    middle = step[np.argmin(level[WIDTH - 1 :]) + WIDTH // 2]
    known = np.array(job.checkpoint_steps or [middle])
    return known[[np.argmin(np.abs(known - middle))]], np.array([low])
