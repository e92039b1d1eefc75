"""What the jobs so far taught about each knob: jobs that differ in that knob alone, and how their losses differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from advisor.nouns import Curve, Job
from advisor.tell.terminal_plot import finite
from advisor.tell.words import KNOBS, figure, knobs, same


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
        share = f" ({abs(change) / gain:.0%} of the gain so far)" if gain else ""
        verdict = (
            "no change"
            if change == 0
            else f"{'better' if change < 0 else 'worse'} by {figure(abs(change), 3)}{share}"
        )
        return (
            f"{figure(self.before)} → {figure(self.after)} (jobs {self.first} and {self.second}): "
            f"{figure(self.loss_before)} → {figure(self.loss_after)}, {verdict}"
        )


def comparable_curve(job: Job) -> Curve:
    """The losses on the whole validation set, or else on its batches: the same yardstick for all jobs."""
    full = finite(job.full_valid)
    return full if len(full) else finite(job.valid)


def last_loss(job: Job) -> float | None:
    """The last finite loss of the comparable curve."""
    curve = comparable_curve(job)
    return float(curve.loss[np.argmax(curve.step)]) if len(curve) else None


def best_point(job: Job) -> tuple[float, float] | None:
    """(step, loss) of the lowest loss of the comparable curve."""
    curve = comparable_curve(job)
    if not len(curve):
        return None
    i = int(np.argmin(curve.loss))
    return float(curve.step[i]), float(curve.loss[i])


def gain_so_far(jobs: Sequence[Job]) -> float | None:
    """Loss before tuning minus the lowest last loss; None where either is not known or nothing was gained."""
    base = next((j.base_valid_loss for j in reversed(jobs) if j.base_valid_loss is not None), None)
    losses = [loss for j in jobs if (loss := last_loss(j)) is not None]
    return base - min(losses) if base is not None and losses and base > min(losses) else None


def effects(jobs: Sequence[Job]) -> dict[str, list[Effect]]:
    """For each knob the pairs of jobs that differ in it alone, each in the direction of the later job."""
    found: dict[str, list[Effect]] = {}
    for (i, a), (k, b) in combinations(enumerate(jobs, 1), 2):
        losses = last_loss(a), last_loss(b)
        knob = _only_difference(knobs(a.hyperparameters), knobs(b.hyperparameters))
        if knob and None not in losses:
            old, new = getattr(a.hyperparameters, knob), getattr(b.hyperparameters, knob)
            found.setdefault(knob, []).append(Effect(knob, i, k, old, new, *losses))
    return {knob: found[knob] for knob in KNOBS if knob in found}


def _only_difference(a: dict, b: dict) -> str | None:
    if a.keys() != b.keys():
        return None
    different = [k for k in a if not same(a[k], b[k])]
    return different[0] if len(different) == 1 else None
