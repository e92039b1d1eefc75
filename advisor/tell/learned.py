"""What the jobs so far taught about each knob: jobs that differ in that knob alone, and how their losses differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from advisor.figures import FINE, loss_figure
from advisor.nouns import Curve, Job
from advisor.propose.peers import is_peer
from advisor.tell.terminal_plot import finite
from advisor.tell.words import KNOBS, figure, knobs, same

TIMES = 2.0  # from which share on it is told as times


@dataclass(frozen=True)
class Effect:
    """Two jobs that differ in one knob alone. Numbers of jobs count from 1, oldest first."""

    knob: str
    first: int
    second: int
    before: float  # the knob's value in the first job
    after: float
    loss_before: float  # last validation loss, nats per token
    loss_after: float

    def sentence(self, gain: float | None) -> str:
        """The effect with its figures; `gain` is what the best job gained on the base model."""
        change = self.loss_after - self.loss_before
        share = f" ({_of_gain(abs(change) / gain)} the gain so far)" if gain else ""
        verdict = (
            "no change"
            if change == 0
            else f"{'better' if change < 0 else 'worse'} by {figure(abs(change), 3)}{share}"
        )
        return (
            f"{figure(self.before)} → {figure(self.after)} (jobs {self.first} and {self.second}): "
            f"{told_loss(self.loss_before, gain)} → {told_loss(self.loss_after, gain)}, {verdict}"
        )


def _of_gain(share: float) -> str:
    """A share that reads as one: of what blew up it is many times all that there is."""
    return f"{share:.0%} of" if share < TIMES else f"{figure(share, 2)} times"


def comparable(jobs: Sequence[Job]) -> list[tuple[int, Job]]:
    """The jobs whose losses can be set against the newest one's, each with its number from 1, oldest first."""
    return [(i, job) for i, job in enumerate(jobs, 1) if is_peer(job, jobs[-1])]


def comparable_curve(job: Job) -> Curve:
    """The losses on the whole validation set, or else on its batches: the same yardstick for all jobs."""
    full = finite(job.full_valid)
    return full if len(full) else finite(job.valid)


def last_loss(job: Job) -> float | None:
    """The last finite loss of the comparable curve."""
    curve = comparable_curve(job)
    return float(curve.loss[np.argmax(curve.step)]) if len(curve) else None


def end_loss(job: Job) -> float | None:
    """The loss that the job ended with; None where it runs still, was cut short, or ended as no number."""
    curve = job.full_valid if len(job.full_valid) else job.valid
    placed = np.isfinite(curve.step)
    if not job.succeeded or not placed.any():
        return None
    last = curve.loss[placed][np.argmax(curve.step[placed])]
    return last_loss(job) if np.isfinite(last) else None


def best_point(job: Job) -> tuple[float, float] | None:
    """(step, loss) of the lowest loss of the comparable curve."""
    curve = comparable_curve(job)
    if not len(curve):
        return None
    i = int(np.argmin(curve.loss))
    return float(curve.step[i]), float(curve.loss[i])


def told_loss(loss: float | None, gain: float | None) -> str:
    """A measured loss, with digits enough that a hundredth of the gain so far shows."""
    if loss is None or not math.isfinite(loss):
        return figure(loss)
    return loss_figure(loss, gain and FINE * gain, least=4)


def gain_so_far(jobs: Sequence[Job]) -> float | None:
    """Loss before tuning minus the lowest last loss; None where either is not known or nothing was gained."""
    told = [j.base_valid_loss for _, j in comparable(jobs) if j.base_valid_loss is not None]
    base = told[-1] if told else None
    losses = [loss for _, j in comparable(jobs) if (loss := last_loss(j)) is not None]
    return base - min(losses) if base is not None and losses and base > min(losses) else None


def effects(jobs: Sequence[Job]) -> dict[str, list[Effect]]:
    """For each knob the pairs of jobs that differ in it alone, in the direction of the later job.

    Of many jobs that differ in one knob alone the neighbours by its value are paired, not all with all.
    """
    known = [
        (i, knobs(j.hyperparameters), loss) for i, j in comparable(jobs) if (loss := end_loss(j)) is not None
    ]
    found = {}
    for knob in KNOBS:
        groups: dict[tuple, list[tuple[float, int, float]]] = {}
        for number, setting, loss in known:
            if knob in setting:
                rest = tuple((k, v) for k, v in setting.items() if k != knob)
                groups.setdefault(rest, []).append((setting[knob], number, loss))
        pairs = [
            _effect(knob, a, b)
            for g in groups.values()
            for a, b in pairwise(sorted(g))
            if not same(a[0], b[0])
        ]
        if pairs:
            found[knob] = sorted(pairs, key=lambda e: (e.second, e.first))
    return found


def _effect(knob: str, a: tuple[float, int, float], b: tuple[float, int, float]) -> Effect:
    """The effect from the earlier job to the later one; each is (value, number, loss)."""
    first, second = sorted((a, b), key=lambda job: job[1])
    return Effect(knob, first[1], second[1], first[0], second[0], first[2], second[2])
