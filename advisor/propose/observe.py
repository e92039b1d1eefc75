"""What the jobs so far say about the losses of settings: each job's end, and what it showed on its way.

An epoch end is what a shorter job would have ended with, exactly so under a constant learning rate. What a
job showed inside its first epoch is left out: it told nothing of its end (measured: experiments/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.nouns import Job
from advisor.propose.batches import WIDTH, doubt, levels, lowest_by_then, surely, swing
from advisor.propose.keepable import keepable
from advisor.propose.scale import WORST
from advisor.propose.series import (
    BLOWN,
    came_to_nothing,
    ended,
    finite,
    likely_setting,
    total_steps,
    validation,
)

END, WAY = 0, 1  # kinds of observations
MOST_POINTS = 50  # over all jobs: more cost time and tell nothing new
SEED = 0.01  # of the gain: what another seed changes (`tables`' README)
MOST_JOBS = 45  # looked at: of a longer history the best third of these and the latest


@dataclass(frozen=True)
class Observations:
    """One row a point. `logs` float[n, 3]: log2 of epochs, batch size, learning rate relative to the default."""

    logs: np.ndarray
    run: np.ndarray  # float[n], log2 epochs of the job that the point was seen in
    loss: np.ndarray  # float[n], capped at WORST x base
    kind: np.ndarray  # int[n], END or WAY
    whole: np.ndarray  # bool[n], measured on the whole validation set
    job: np.ndarray  # int[n]
    swing: np.ndarray  # float[n], standard deviation of the job's single losses around their course
    luck: np.ndarray  # float[n], how far luck may have made a level of single batches; 0 of the whole set
    base: float  # loss before any training
    ended_best: float = np.inf  # the loss of the best end, as it was measured
    seen_best: float = np.inf  # of the best end or checkpoint

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def measured(self) -> bool:
        """Whether a validation loss of this task was seen: without one no figure can be told in its unit."""
        return len(self) > 0

    @property
    def n_ended(self) -> int:
        return int((self.kind == END).sum())

    @property
    def n_in_vain(self) -> int:
        """Jobs that ended since the first that came as low as any has, up to what another seed changes."""
        ends = self.ends
        if not len(ends):
            return 0
        loss = self.surely[ends[np.argsort(self.job[ends], kind="stable")]]
        low = loss <= loss.min() + SEED * max(self.base - loss.min(), 0.0)
        return len(loss) - 1 - int(np.argmax(low))

    @property
    def ends(self) -> np.ndarray:
        """int[k]: rows of the jobs' ends, best first."""
        ends = np.flatnonzero(self.kind == END)
        return ends[np.argsort(self.surely[ends], kind="stable")]

    @property
    def surely(self) -> np.ndarray:
        """float[n]: losses that are not lower by luck: by these, levels of batches are set against whole sets."""
        return self.loss + self.luck

    def best(self) -> float:
        """The lowest loss that a job ended with; the base loss where none has ended."""
        return float(min([*self.loss[self.ends[:1]], self.base]))

    def believing(self, logs: np.ndarray, loss: float) -> Observations:
        """With one more end, believed and not seen: for several proposals at once."""
        return replace(
            self,
            logs=np.vstack([self.logs, logs]),
            run=np.append(self.run, logs[0]),
            loss=np.append(self.loss, loss),
            kind=np.append(self.kind, END),
            whole=np.append(self.whole, True),
            job=np.append(self.job, -1),
            swing=np.append(self.swing, 0.0),
            luck=np.append(self.luck, 0.0),
        )


def observe(
    jobs: Sequence[Job],
    rate_name: str,
    reference: float,
    base: float,
    *,
    curves: bool = True,
    best: bool = False,
) -> tuple[Observations, Observations]:
    """Validation and training observations of all jobs; a knob that is not known is taken to be the usual one.

    `curves=False` takes the ends alone; `best=True` lets each job stand for its best checkpoint so far.
    """
    stand_in = not any(len(validation(job, stand_in=False)[1]) for job in jobs)
    telling = _telling(jobs, stand_in)
    most = max(2, min(9, MOST_POINTS // max(len(telling), 1)))
    valid, train, seen = [], [], []
    for i in telling:
        job = jobs[i]
        _, kept, luck = keepable(job)
        if len(kept):
            seen.append((kept.min() + luck, float(kept.min())))
        if came_to_nothing(job, base):  # that tells of a limit, not of the surface: `limits.py`
            continue
        knobs = likely_setting(job, rate_name, reference) / [1.0, 1.0, reference]
        step, loss, whole = validation(job, stand_in=stand_in)
        if len(step):
            luck = 0.0 if whole else doubt(loss)
            calm = ~(whole & _passing(loss, base))
            rows = _validation_rows(job, knobs, (step[calm], loss[calm], whole), most if curves else 1, best)
            valid += [(*r, luck, i) for r in rows if curves or r[3] == END]
        if curves:
            train += [(*r, 0.0, i) for r in _training_rows(job, knobs, min(most, 6))]
    told = _with_repeats(_table(valid, base))
    ends = [
        (told.surely[row], valid[row][2]) for row in told.ends
    ]  # the capped ones are told apart by what they were
    ended_best = min(ends, default=(np.inf, np.inf))[1]
    seen_best = min(seen, default=(np.inf, np.inf))[1]
    return replace(told, ended_best=ended_best, seen_best=seen_best), _table(train, base)


def _telling(jobs: Sequence[Job], stand_in: bool) -> list[int]:
    """Places of the jobs to learn from: the cost of the process grows with their cube."""
    if len(jobs) <= MOST_JOBS:
        return list(range(len(jobs)))
    best = sorted(range(len(jobs)), key=lambda i: _last(jobs[i], stand_in))[: MOST_JOBS // 3]
    latest = [i for i in range(len(jobs))[::-1] if i not in best][: MOST_JOBS - len(best)]
    return sorted([*best, *latest])


def _last(job: Job, stand_in: bool) -> float:
    _, loss, whole = validation(job, stand_in=stand_in)
    return surely(loss, whole) if len(loss) and not job.pending else np.inf


def _table(rows: list, base: float) -> Observations:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    return Observations(
        np.array(columns[0], dtype=float).reshape(-1, 3),
        np.array(columns[1], dtype=float),
        np.clip(np.array(columns[2], dtype=float), 0.0, WORST * base),
        np.array(columns[3], dtype=int),
        np.array(columns[4], dtype=bool),
        np.array(columns[7], dtype=int),
        np.array(columns[5], dtype=float),
        np.array(columns[6], dtype=float),
        base,
    )


def _with_repeats(obs: Observations) -> Observations:
    """With the spread of jobs that had one setting: every end is as uncertain as these show."""
    ends = np.flatnonzero(obs.kind == END)
    _, which = np.unique(obs.logs[ends], axis=0, return_inverse=True)
    counts = np.bincount(which)
    if counts.max(initial=0) < 2:
        return obs
    means = np.bincount(which, obs.loss[ends]) / counts
    spread = np.sqrt(((obs.loss[ends] - means[which]) ** 2).sum() / (counts - 1).sum())
    swing = obs.swing.copy()
    swing[ends] = np.maximum(swing[ends], spread)
    return replace(obs, swing=swing)


def _validation_rows(
    job: Job, knobs: np.ndarray, seen: tuple[np.ndarray, np.ndarray, bool], most: int, best: bool
) -> list:
    """Rows (logs, run, loss, kind, whole, swing), earliest first, at most `most` of them."""
    run, (step, loss, whole) = np.log2(knobs[0]), seen
    kept = keepable(job)[1] if best else []
    error = swing(loss) / (1.0 if whole else np.sqrt(WIDTH))
    total = total_steps(job, step[-1])
    epochs = knobs[0] * step / total
    if whole:
        loss = np.minimum.accumulate(loss) if best else loss
    else:
        loss = lowest_by_then(loss) if best else levels(loss)
    points = [(e, v, WAY) for e, v in zip(epochs, loss, strict=True)]
    if ended(job, step[-1], total):
        points[-1] = (knobs[0], min(kept, default=loss[-1]), END)
    chosen = np.unique(np.linspace(len(points) - 1, 0, most).round().astype(int))
    return [(np.log2([points[k][0], *knobs[1:]]), run, *points[k][1:], whole, error) for k in chosen]


def _passing(loss: np.ndarray, base: float) -> np.ndarray:
    """bool[n]: losses far above that before training from which the job came back: they tell of no shorter job."""
    return (loss > BLOWN * base) & (np.minimum.accumulate(loss[::-1])[::-1] < base)


def _training_rows(job: Job, knobs: np.ndarray, most: int) -> list:
    """Rows of the mean training loss of each epoch."""
    step, loss = finite(job.train)
    if not len(step):
        return []
    epoch = np.ceil(knobs[0] * step / max(total_steps(job, step[-1]), 1e-9) - 1e-9)
    ends = np.unique(epoch[epoch > 0])
    ends = ends[np.unique(np.linspace(len(ends) - 1, 0, most).round().astype(int))] if len(ends) else ends
    run = np.log2(knobs[0])
    return [(np.log2([e, *knobs[1:]]), run, loss[epoch == e].mean(), END, True, 0.0) for e in ends]
