"""A job's series as they can be used: steps in order, finite losses, steps told in epochs."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from advisor.measure.broken import ends_broken
from advisor.measure.series import clean
from advisor.nouns import Curve, HyperParameters, Job

SMALLEST = 1e-6  # nats per token; a loss before training below it is a mistake in the data
BLOWN = 1.15  # of the loss before training: no underfitted job ends above it
LEARNED = 0.8  # of its first training losses: a job that ends below has not blown up
RUNAWAY = 2.0  # times its first training losses: none of the benchmark's 1152 jobs ends above 1.06 times
ENDED_EARLY = 0.97  # a job whose last step lies below this share of its plan did not come to its end


def finite(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Steps ascending and unique, and losses that are numbers, as the rules read them."""
    series = clean(curve)
    return series.step, series.loss


def given(job: Job, rate_name: str) -> np.ndarray:
    """The job's three knobs as float[3], NaN where one of them is not known; its steps tell epochs and batch, too."""
    h: HyperParameters = job.hyperparameters
    epochs = h.n_epochs
    if epochs is None and job.total_steps and job.steps_per_epoch:
        epochs = job.total_steps / job.steps_per_epoch
    batch = h.batch_size if h.batch_size is not None else _batch_by_steps(job)
    values = (epochs, batch, getattr(h, rate_name))
    return np.array(
        [v if isinstance(v, int | float) and np.isfinite(v) and v > 0 else np.nan for v in values],
        dtype=float,
    )


def given_whole(jobs: Sequence[Job], rate_name: str) -> np.ndarray:
    """float[k, 3]: of the jobs whose knobs are all known."""
    settings = np.array([given(j, rate_name) for j in jobs], dtype=float).reshape(-1, 3)
    return settings[~np.isnan(settings).any(axis=1)]


def _batch_by_steps(job: Job) -> float | None:
    """The one batch size by which its examples take its steps, an uneven last batch counted or dropped; None where several
    do.
    """
    n, steps = job.n_train_examples, job.steps_per_epoch
    if not n or not steps or steps % 1 or steps > n:
        return None
    near = range(max(n // int(steps) - 1, 1), ceil(n / steps) + 2)
    sizes = [batch for batch in near if steps in (ceil(n / batch), n // batch)]
    return float(sizes[0]) if len(sizes) == 1 else None


def setting(job: Job, rate_name: str) -> np.ndarray | None:
    """The job's three knobs as float[3], None where one of them is not known."""
    knobs = given(job, rate_name)
    return None if np.isnan(knobs).any() else knobs


def likely_setting(job: Job, rate_name: str, reference: float) -> np.ndarray:
    """The job's three knobs, with the usual value for one that is not known: float[3].

    The usual learning rate is the provider's own; the usual number of epochs that of the evaluations, or 3.
    """
    knobs = given(job, rate_name)
    usual = (float(np.clip(len(job.full_valid), 3, 12)), 8.0, reference)
    return np.where(np.isnan(knobs), usual, knobs)


def validation(job: Job, *, stand_in: bool = True) -> tuple[np.ndarray, np.ndarray, bool]:
    """Steps, losses, and whether they are of the whole validation set.

    Where that was never measured the mini-batch losses stand in, else, with `stand_in`, the training losses.
    """
    curves = [(job.full_valid, True), (job.valid, False), *([(job.train, False)] if stand_in else [])]
    for curve, whole in curves:
        read = clean(curve, reload=not job.pending and curve is not job.train)
        step, loss = read.step, read.loss
        later = step > 0
        if later.any():
            return step[later], loss[later], whole
    return np.empty(0), np.empty(0), False


def base_loss(jobs: Sequence[Job]) -> float | None:
    """The loss before training: as told, else the middle of the jobs' first losses.

    The middle, since one job that blew up before its first evaluation must not set the scale for all.
    """
    told = told_base(jobs)
    if told is not None:
        return told
    first = [loss[0] for j in jobs for _, loss in [finite(j.train)] if len(loss)]
    if not first:
        first = [loss[0] for j in jobs for _, loss, _ in [validation(j)] if len(loss)]
    return max(float(np.median(first)), SMALLEST) if first else None


def told_base(jobs: Sequence[Job]) -> float | None:
    """The validation loss before training as the jobs told or measured it: the one that theirs may be held against."""
    told = [j.base_valid_loss for j in jobs if j.base_valid_loss is not None and j.base_valid_loss > 0]
    told += [
        float(loss[0]) for j in jobs for step, loss in [finite(j.full_valid)] if len(step) and step[0] <= 0
    ]
    return max(float(np.median(told)), SMALLEST) if told else None


def came_to_nothing(job: Job, base: float) -> bool:
    """Whether the job came to nothing: its loss is no number at the end, or stands above the loss before it.

    Where the training loss fell all the same the job learned, if only its examples by heart; where that was not logged
    it did if its validation loss was ever lower.
    """
    if diverged(job):
        return True
    _, loss, _ = validation(job)
    if job.pending or not len(loss) or loss[-1] <= BLOWN * base:
        return False
    logged = len(finite(job.train)[1]) > 1
    return not (_learned(job) if logged else loss.min() <= base)


def all_blew_up(jobs: Sequence[Job]) -> bool:
    """Whether every job that ended, one at least, came to nothing."""
    base, done = base_loss(jobs) or np.inf, [j for j in jobs if not j.pending]
    return bool(done) and all(came_to_nothing(j, base) for j in done)


def _learned(job: Job) -> bool:
    loss = finite(job.train)[1]
    few = max(len(loss) // 4, 1)
    return len(loss) > 1 and bool(np.median(loss[-few:]) < LEARNED * np.median(loss[:few]))


def diverged(job: Job) -> bool:
    """Whether the losses end as no number, or the job failed while its training loss stood far above its start.

    A failure by itself says nothing: servers die and disks fill up under good settings too.
    """
    train = clean(job.train)
    valid = clean(job.full_valid if len(job.full_valid) else job.valid)
    if any(ends_broken(train, valid, running=job.pending, method=job.method)):
        return True
    if job.status == "failed" and train.n_logged and not len(train):  # no number from its first step on
        return True
    _, loss = finite(job.train)
    few = min(3, len(loss) // 2)  # the middle of three: one odd batch must not decide
    return (
        job.status == "failed" and few > 0 and bool(np.median(loss[-few:]) > RUNAWAY * np.median(loss[:few]))
    )


def total_steps(job: Job, last: float) -> float:
    """Steps of the whole job, in the unit of its series; a job that came to its end has none beyond the last."""
    if job.succeeded and not (job.total_steps and job.total_steps >= last):
        return float(last)
    return max(planned_steps(job, last) or 0.0, float(last))


def planned_steps(job: Job, last: float) -> float | None:
    """Steps that the job is to take, as it was told, if that holds at its `last` one, or as its epochs have; None where
    neither is known.
    """
    if job.total_steps and job.total_steps >= last:
        return float(job.total_steps)
    epochs, batch = job.hyperparameters.n_epochs, job.hyperparameters.batch_size
    per_epoch = job.steps_per_epoch
    if not per_epoch and job.n_train_examples and batch:
        per_epoch = np.ceil(job.n_train_examples / batch)
    return float(per_epoch * epochs) if per_epoch and epochs else None


def ended(job: Job, last: float, total: float) -> bool:
    """Whether the last loss is that of a whole job, and not of one still running or cut short."""
    return not job.pending and last >= ENDED_EARLY * total
