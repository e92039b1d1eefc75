"""What the jobs so far say about the loss of settings: each job's end, and its epoch ends as shorter jobs.

A constant learning rate makes the state after two epochs the end of a two-epoch job; a decaying one makes it
nearly so (worse, by as much as decay would still have gained): such observations carry a wider error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.nouns import Curve, HyperParameters, Job

WORST = 1.3  # losses are capped at this many times the base loss: beyond it a job is simply bad


@dataclass(frozen=True)
class Observations:
    """Rows: one epoch end of one job each. Losses in nats per token."""

    logs: np.ndarray  # float[n, 3], log2 of epochs, batch size, learning rate
    loss: np.ndarray  # float[n], capped at WORST x base
    prefix: np.ndarray  # bool[n]: seen on the way, not at a job's end
    job: np.ndarray  # int[n], index of the job
    base: float  # loss before any training

    def __len__(self) -> int:
        return len(self.loss)


def setting(job: Job, rate_name: str) -> np.ndarray | None:
    """The job's three knobs as float[3], None where one of them is not known."""
    h: HyperParameters = job.hyperparameters
    values = (h.n_epochs, h.batch_size, getattr(h, rate_name))
    if any(not isinstance(v, int | float) or not np.isfinite(v) or v <= 0 for v in values):
        return None
    return np.array(values, dtype=float)


def clean(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Steps ascending and unique (the latest value of a repeated step stands), finite losses."""
    step, loss = np.asarray(curve.step, float), np.asarray(curve.loss, float)
    last = {s: v for s, v in zip(step, loss, strict=True) if np.isfinite(s)}
    steps = np.array(sorted(last), dtype=float)
    losses = np.array([last[s] for s in steps], dtype=float)
    good = np.isfinite(losses)
    return steps[good], losses[good]


def validation(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """The full validation curve; where there is none the mini-batch one, else the training one."""
    for curve in (job.full_valid, job.valid, job.train):
        step, loss = clean(curve)
        later = step > 0
        if later.any():
            return step[later], loss[later]
    return np.empty(0), np.empty(0)


def base_loss(jobs: list[Job]) -> float | None:
    """The loss before training: as told, else the highest first loss seen."""
    told = [j.base_valid_loss for j in jobs if j.base_valid_loss is not None and j.base_valid_loss > 0]
    if told:
        return float(np.median(told))
    first = [loss[0] for j in jobs for _, loss in [clean(j.train)] if len(loss)]
    first += [loss[0] for j in jobs for _, loss in [validation(j)] if len(loss)]
    return float(max(first)) if first else None


def diverged(job: Job) -> bool:
    """Whether the job's last loss is no number, or it failed after some training."""
    for curve in (job.full_valid, job.train):
        if len(curve) and not np.isfinite(curve.loss[-1]):
            return True
    return job.status == "failed" and len(job.train) > 0


def observations(jobs: list[Job], rate_name: str, base: float, curves: bool = True) -> Observations:
    """Every job's epoch ends as observations; `curves=False` takes the ends alone."""
    rows = []
    for i, job in enumerate(jobs):
        knobs = setting(job, rate_name)
        if knobs is not None:
            rows += [(*r, i) for r in _rows(job, knobs, base) if curves or not r[2]]
    logs = np.array([r[0] for r in rows], dtype=float).reshape(-1, 3)
    return Observations(
        logs,
        np.array([r[1] for r in rows], dtype=float),
        np.array([r[2] for r in rows], dtype=bool),
        np.array([r[3] for r in rows], dtype=int),
        base,
    )


def _rows(job: Job, knobs: np.ndarray, base: float) -> list[tuple[np.ndarray, float, bool]]:
    if diverged(job):
        return [(np.log2(knobs), WORST * base, False)]
    step, loss = validation(job)
    if not len(step):
        return []
    epochs = knobs[0] * step / _total_steps(job, step[-1])
    keep = np.unique(np.linspace(0, len(step) - 1, 12).round().astype(int))  # a dozen tell the curve's shape
    running = job.pending
    out = []
    for k in keep:
        end = k == len(step) - 1 and not running
        at = np.log2([knobs[0] if end else epochs[k], knobs[1], knobs[2]])
        out.append((at, float(np.clip(loss[k], 0, WORST * base)), not end))
    return out


def _total_steps(job: Job, last: float) -> float:
    if job.total_steps and job.total_steps >= last:
        return float(job.total_steps)
    epochs, batch = job.hyperparameters.n_epochs, job.hyperparameters.batch_size
    if job.n_train_examples and (not job.full_valid.step.size or job.pending):
        planned = epochs * np.ceil(job.n_train_examples / batch)
        if planned >= last:
            return float(planned)
    if job.pending and job.steps_per_epoch:
        return float(max(epochs * job.steps_per_epoch, last))
    return float(last)
