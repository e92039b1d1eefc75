"""Whether a loss before training can be that of the job that carries it. Knows the job's losses and no rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from advisor.measure.series import clean
from advisor.nouns import Job

# Times the first training loss and the first validation loss. Of 4,286 jobs of 39 tables the first batch's loss lies
# between 0.77 and 1.36 times the loss before training; a batch of one example varies more.
FAR = 3.0
# Times the highest loss logged, or the lowest the other way: nothing is learned so well by its first log. Of 1,620 jobs
# of 39 tables at most 1.2.
IMPOSSIBLE = 1e4


def without_wrong_base(job: Job) -> Job:
    """The job without its `base_valid_loss` where its own losses contradict that: it is of another measure."""
    if job.base_valid_loss is None or not (_impossible(job) or _contradicted(job)):
        return job
    return replace(job, base_valid_loss=None)


def losses(job: Job) -> np.ndarray:
    """float[n]: all that were logged, training and validation."""
    return np.concatenate([clean(curve).loss for curve in (job.train, job.valid, job.full_valid)])


def _impossible(job: Job) -> bool:
    """Far above all losses or far below, as 0 is."""
    logged = losses(job)
    if not len(logged) or logged.min() <= 0:
        return False
    return not logged.min() / IMPOSSIBLE <= job.base_valid_loss <= IMPOSSIBLE * logged.max()


def _contradicted(job: Job) -> bool:
    """By the loss of the very first step, which is taken before any update, and by the first validation loss, which
    lies off to the same side.
    """
    base, train, valid = job.base_valid_loss, clean(job.train), clean(job.full_valid)
    if base <= 0 or not len(train) or train.step[0] > 1 or not len(valid):
        return False
    times = [float(train.loss[0]) / base, float(valid.loss[0]) / base]
    return min(times) > FAR or max(times) < 1 / FAR
