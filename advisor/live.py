"""Whether a running job should be stopped on what it has shown so far.

A job is worth its remaining epochs as long as it may end better than the best end of the others and than its own losses so
far, whose checkpoints are there already. How it will end is foretold from its own curve, from all other jobs and
from the library of earlier tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from advisor.figures import FINE, loss_figure
from advisor.measure.broken import zeros_from
from advisor.measure.series import clean
from advisor.nouns import Curve, Job, Live, SearchSpace
from advisor.propose.acquire import likely_range, percent
from advisor.propose.beliefs import Beliefs
from advisor.propose.peers import peers_of_newest
from advisor.propose.scale import WORST
from advisor.propose.series import (
    base_loss,
    diverged,
    finite,
    given,
    likely_setting,
    planned_steps,
    total_steps,
    validation,
)
from advisor.propose.task import Task, understand
from advisor.propose.wording import SHORT, listed
from advisor.space_record import default_space

BETTER = 0.005  # of the attainable gain: a lead that is worth having
FEW = 3  # evaluations before which a job is not set against itself alone: as many as a diagnosis needs
NOTICED = 0.005  # of that best, where how much is to be gained is not known
RISEN = 0.01  # of the gain above its own best: about what another seed changes
# Chance of such a lead below which a job is stopped, times LATER's power of the share of it that is left: what is saved must
# outweigh what may be lost. Once the loss has risen the limit is higher, for it seldom comes back. On tables left out 3.1 in
# 100 stops were wrong and 28.6 % of the epochs saved (7,400 pairs of jobs that had no say here; experiments/LOG.md).
UNLIKELY, UNLIKELY_RISEN, LATER = 0.2, 0.4, 0.4
BATCHES = 0.7  # times these limits where the batch size is not known and taken to be the usual one
BELIEFS = Beliefs(  # a run's own course departs less from its beginning, and more smoothly, than one setting from another
    length=(2.2, 3.0, 1.8),
    bump=0.2,
    tilt=(0.1, 0.05, 0.05),
    seed_noise=0.003,
    way_noise=0.04,
    own=0.0,
    trust=0.6,
    stretch=(1.0,),
    gain_alike=0.12,
    train_trust=0.29,
    gain=0.65,
    rate_shift=0.95,
    wide_share=0.12,
    wide_shift=2.5,
)


def judge(jobs: Sequence[Job], space: SearchSpace | None = None, prior: Any = None) -> Live:
    """Judge the newest job, if it is running, against all that is known."""
    if not jobs or jobs[-1].status != "running":
        return Live()
    job = jobs[-1]
    if _broken(job.train) or _broken(job.full_valid) or _logged_as_zeros(job):
        return Live(True, "the loss is no number any more: it will not come back by itself")
    space = space or default_space([job])
    step, seen, whole = validation(job, stand_in=False)
    if not len(seen):
        return Live()
    planned, best = planned_steps(job, step[-1]), _best_ended(jobs)
    if planned and step[-1] >= planned:  # nothing is left to save
        return Live()
    base = base_loss(peers_of_newest(jobs))
    missing = _missing(job, planned, space.rate_name)
    if missing:
        return _by_its_rise(seen, whole, base, missing)
    share = step[-1] / planned
    if whole and (_leads(seen, best) or _ahead(job, share, seen, jobs)):
        return Live()
    if not np.isfinite(best) and len(seen) < FEW:
        return Live()
    if len(seen) == 1 and seen[-1] > base:  # one loss does not tell a jump, which comes back, from a blow-up
        return Live()
    task = understand(jobs, space, prior=prior, beliefs=None if prior is False else BELIEFS)
    return _verdict(task, likely_setting(job, space.rate_name, task.reference), job, 1 - share, seen, best)


def _missing(job: Job, planned: float | None, rate_name: str) -> list[str]:
    """What is not known of the job without which its end cannot be foretold: of such stops 9 to 37 in 100 were wrong."""
    epochs, _, rate = np.isnan(given(job, rate_name))
    names = (("epochs", epochs), (SHORT[rate_name], rate), ("number of steps in all", not planned))
    return [name for name, lacks in names if lacks]


def _by_its_rise(seen: np.ndarray, whole: bool, base: float, missing: list[str]) -> Live:
    """Judged by itself alone: two evaluations in a row above its best, and it seldom comes back."""
    told = f"{listed(missing)} not known, so that its end cannot be foretold"
    limit = max(_above(seen, base), seen.min() + NOTICED * abs(seen.min()))
    if not whole or not (seen[-2:] > limit).all():
        return Live(False, told)
    figure = partial(loss_figure, fine=FINE * (base - seen.min()), least=4)
    return Live(
        True, f"it has risen from {figure(seen.min())} to {figure(seen[-1])}, which seldom comes back; {told}"
    )


def _above(seen: np.ndarray, base: float) -> float:
    """The loss from which a job has risen above its own best."""
    return float(seen.min() + RISEN * max(base - seen.min(), 0.0))


def _verdict(task: Task, knobs: np.ndarray, job: Job, left: float, seen: np.ndarray, best: float) -> Live:
    prediction, best = task.predict(knobs[None]), min(best, float(seen.min()))
    loss, weight = prediction.nodes()
    chance = float(weight[loss[:, :, 0] < best - BETTER * prediction.gain[:, None]].sum())
    limit = UNLIKELY_RISEN if seen[-1] > _above(seen, task.obs.base) else UNLIKELY
    limit *= left**LATER * (1.0 if job.hyperparameters.batch_size else BATCHES)
    if chance >= limit:
        return Live()
    low, _, high = likely_range(prediction)[0]
    told = partial(loss_figure, fine=FINE * (task.obs.base - best), least=4)
    course = f"it will end at {told(low)} to {told(high)} (8 in 10)"
    if seen[-1] > WORST * task.obs.base:  # forecasts tell nothing apart up there
        course = f"it stands at {told(seen[-1])}, above the {told(task.obs.base)} before training"
    return Live(
        True,
        f"{course}, and the best so far is {told(best)}: "
        f"a chance of a better end of {percent(chance)} is not worth the epochs left",
    )


def _leads(seen: np.ndarray, best: float) -> bool:
    """Whether the newest loss is the job's lowest and no job ended below it: what still falls there is worth its cost."""
    return bool(seen[-1] <= best and (seen[:-1] > seen[-1]).all())


def _ahead(job: Job, share: float, seen: np.ndarray, jobs: Sequence[Job]) -> bool:
    """Whether the job stands below the best one of as many epochs where that one had come as far, and still falls."""
    courses = [
        (step / total_steps(rival, step[-1]), loss)
        for rival, step, loss in _ended(jobs)
        if rival.hyperparameters.n_epochs == job.hyperparameters.n_epochs
    ]
    if not courses or seen[-1] > seen.min():
        return False
    at, loss = min(courses, key=lambda c: c[1][-1])
    return bool(at[0] <= share and seen[-1] < np.interp(share, at, loss))


def _best_ended(jobs: Sequence[Job]) -> float:
    """The lowest loss that a peer ended with."""
    return min((float(loss[-1]) for _, _, loss in _ended(jobs)), default=np.inf)


def _ended(jobs: Sequence[Job]) -> Iterator[tuple[Job, np.ndarray, np.ndarray]]:
    """The newest job's peers that came to an end, with the steps and losses of their whole evaluations."""
    for job in peers_of_newest(jobs)[:-1]:
        step, loss = finite(job.full_valid)
        if len(loss) and step[-1] > 0 and not job.pending and not diverged(job):
            yield job, step, loss


def _logged_as_zeros(job: Job) -> bool:
    """Whether its training loss is 0 because it is no number any more, as far as its validation shows."""
    valid = job.full_valid if len(job.full_valid) else job.valid
    return zeros_from(clean(job.train), clean(valid), job.method) is not None


def _broken(curve: Curve) -> bool:
    """Three values in a row that are no number: one alone may be a missing value."""
    return len(curve) >= 3 and not np.isfinite(curve.loss[-3:]).any()
