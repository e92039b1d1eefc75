"""Which model to keep: the best full validation loss so far, at a step whose weights exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.nouns import Job, Keep
from advisor.propose.batches import WIDTH, doubt, levels, lowest_by_then
from advisor.propose.objective import LOSS_OBJECTIVES, sign
from advisor.propose.peers import peers_of_newest
from advisor.propose.series import base_loss, came_to_nothing, ended, finite, total_steps, validation


def keep(jobs: Sequence[Job], objective: str = "final") -> Keep:
    """The job and step of the best model; the base model where nothing beats it.

    With objective `final` each job stands for its last checkpoint only if no checkpoint of its own is better:
    what is kept may be any checkpoint that exists, whatever was being tuned for. A metric's name ranks
    finished jobs by that metric. A job without an id of its own is named by its place, "job 3": None would be
    the base model.
    """
    jobs = _named(jobs)
    peers = [j for j in peers_of_newest(jobs) if j.status != "queued"]
    if objective not in LOSS_OBJECTIVES:
        return _by_metric(peers, objective)
    told = base_loss([j for j in peers if j.base_valid_loss is not None])
    # without a told one the first training losses: enough to doubt a job that blew up
    likely = base_loss(peers)
    best, found = (told if told is not None else np.inf), Keep()
    for job in peers:
        step, loss = _measured(job)
        lowest = loss.min(initial=np.inf)
        surely = lowest + luck(job)
        if surely < best and not (came_to_nothing(job, likely) and lowest >= likely):
            best, found = surely, Keep(job.id, float(step[np.argmin(loss)]))
    return found


def best_job(jobs: Sequence[Job], objective: str = "final") -> Job | None:
    """The job that a further one is set against, with a name: by its end, as that is what is tuned for.

    For any other objective it is the one whose model is kept; where none fits, the newest job.
    """
    named = _named(jobs)
    peers = peers_of_newest(named)
    if objective == "final":
        base = base_loss(peers) or np.inf
        ends = [(*end, j) for j in peers if (end := _end(j, base))]
        if ends:
            return min(ends, key=lambda end: end[:2])[2]
    kept = keep(named, objective).job
    return next((j for j in named if j.id == kept), named[-1] if named else None)


def _end(job: Job, base: float) -> tuple[bool, float] | None:
    """Whether only its training was measured, and the loss that it ended with, of batches with what may be luck; None
    for one that came to no good end.
    """
    step, loss, _ = validation(job)
    if not len(step) or came_to_nothing(job, base) or not ended(job, step[-1], total_steps(job, step[-1])):
        return None
    if not (len(job.full_valid) or len(job.valid)):
        return True, float(loss[-1])
    return False, float(loss[-1] if len(job.full_valid) else levels(loss)[-1]) + luck(job)


def _named(jobs: Sequence[Job]) -> list[Job]:
    """The jobs, each with an id of its own."""
    count = Counter(j.id for j in jobs)
    count[None] = 2
    return [j if count[j.id] == 1 else replace(j, id=f"job {i}") for i, j in enumerate(jobs, 1)]


def luck(job: Job) -> float:
    """How far luck may have made the validation loss of a job: nothing of what was measured on the whole set."""
    return 0.0 if len(finite(job.full_valid)[0]) else doubt(finite(job.valid)[1])


def _measured(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Steps and losses at which a model could be kept."""
    step, loss = finite(job.full_valid)
    if not len(step):
        return _level_of_batches(job)
    later = step > 0
    step, loss = step[later], loss[later]
    if job.checkpoint_steps and len(step):
        have = np.isin(step, job.checkpoint_steps)
        if have.any():
            return step[have], loss[have]
    return step, loss


def _level_of_batches(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """The one step that is worth keeping, and the mean of the batches around it: one batch is luck.

    The end, unless a level before it was lower by more than luck: then its middle, or the checkpoint nearest to it.
    """
    step, loss = finite(job.valid)
    step, loss = step[step > 0], loss[step > 0]
    if not len(loss):
        return step, loss
    level, low = levels(loss), lowest_by_then(loss)[-1]
    if low == level[-1]:
        return step[-1:], level[-1:]
    middle = step[np.argmin(level[WIDTH - 1 :]) + WIDTH // 2]
    known = np.array(job.checkpoint_steps or [middle])
    return known[[np.argmin(np.abs(known - middle))]], np.array([low])


def kept_loss(job: Job, step: float) -> tuple[float | None, int]:
    """The validation loss that a kept model is told by, and of how many single batches it is the mean (0: the
    whole set).
    """
    at, loss = finite(job.full_valid)
    if len(at):
        return next((float(v) for s, v in zip(at, loss, strict=True) if s == step), None), 0
    at, loss = _level_of_batches(job)
    known = len(at) > 0 and at[0] == step
    return (float(loss[0]), min(WIDTH, len(finite(job.valid)[0]))) if known else (None, 0)


def _by_metric(jobs: list[Job], name: str) -> Keep:
    rated = [(sign(name) * j.metrics[name], j) for j in jobs if name in j.metrics]
    if not rated:
        return Keep()
    job = min(rated, key=lambda r: r[0])[1]
    step = max([*job.checkpoint_steps, *finite(job.full_valid)[0], *finite(job.train)[0], 0.0])
    return Keep(job.id, float(step))
