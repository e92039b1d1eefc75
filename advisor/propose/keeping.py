"""Which model to keep: the best full validation loss so far, at a step whose weights exist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, Keep
from advisor.propose.batches import WIDTH, surely
from advisor.propose.keepable import keepable
from advisor.propose.objective import LOSS_OBJECTIVES, sign
from advisor.propose.peers import peers_of_newest
from advisor.propose.series import BLOWN, base_loss, came_to_nothing, ended, finite, total_steps, validation

FELL = 1.03  # times its lowest: a validation loss that began higher fell by more than noise


def keep(jobs: Sequence[Job], objective: str = "final") -> Keep:
    """The job and step of the best model; the base model where nothing beats it.

    With objective `final` each job stands for its last checkpoint only if no checkpoint of its own is better:
    what is kept may be any checkpoint that exists, whatever was being tuned for. A metric's name ranks
    finished jobs by that metric. Jobs have ids of their own (`advisor.history`): None is the base
    model.
    """
    peers = peers_of_newest(jobs)
    if objective not in LOSS_OBJECTIVES:
        return _by_metric(peers, objective)
    told = base_loss([j for j in peers if j.base_valid_loss is not None])
    # without a told one the first training losses: enough to doubt a job that blew up
    likely = base_loss(peers)
    base, best, found = (told if told is not None else np.inf), np.inf, Keep()
    for job in (j for j in peers if j.status != "queued"):
        step, loss, luck = keepable(job)
        lowest = loss.min(initial=np.inf)
        if lowest >= base or lowest + luck >= best:
            continue
        if _learned(job, loss) or not (lowest >= likely and came_to_nothing(job, likely)):
            best, found = lowest + luck, Keep(job.id, float(step[np.argmin(loss)]))
    return found


def _learned(job: Job, loss: np.ndarray) -> bool:
    """Whether the validation losses fell by themselves: training losses, of other data, do not tell where they began."""
    train = finite(job.train)[1]
    rose = len(train) > 1 and train[-1] > BLOWN * train[0]
    return not rose and bool(loss[0] > FELL * loss.min())


def best_job(jobs: Sequence[Job], objective: str = "final") -> Job | None:
    """The job that a further one is set against, with a name: by its end, as that is what is tuned for.

    For any other objective it is the one whose model is kept; where none fits, the newest job.
    """
    peers = peers_of_newest(jobs)
    if objective == "final":
        base = base_loss(peers) or np.inf
        ends = [(*end, j) for j in peers if (end := _end(j, base))]
        if ends:
            return min(ends, key=lambda end: end[:2])[2]
    kept = keep(jobs, objective).job
    return next((j for j in jobs if j.id == kept), jobs[-1] if jobs else None)


def _end(job: Job, base: float) -> tuple[bool, float] | None:
    """Whether only its training was measured, and the loss that it ended with, of batches with what may be luck; None
    for one that came to no good end.
    """
    step, loss, whole = validation(job)
    if not len(step) or came_to_nothing(job, base) or not ended(job, step[-1], total_steps(job, step[-1])):
        return None
    if not len(validation(job, stand_in=False)[1]):
        return True, float(loss[-1])
    return False, surely(loss, whole)


def kept_loss(job: Job, step: float) -> tuple[float | None, int]:
    """The validation loss that a kept model is told by, and of how many single batches it is the mean (0: the
    whole set).
    """
    _, seen, whole = validation(job, stand_in=False)
    at, loss = finite(job.full_valid) if whole else keepable(job)[:2]
    known = next((float(v) for s, v in zip(at, loss, strict=True) if s == step), None)
    return known, 0 if whole or known is None else min(WIDTH, len(seen))


def _by_metric(jobs: list[Job], name: str) -> Keep:
    rated = [(sign(name) * j.metrics[name], j) for j in jobs if name in j.metrics]
    if not rated:
        return Keep()
    job = min(rated, key=lambda r: r[0])[1]
    step = max([*job.checkpoint_steps, *finite(job.full_valid)[0], *finite(job.train)[0], 0.0])
    return Keep(job.id, float(step))
