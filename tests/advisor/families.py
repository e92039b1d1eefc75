"""Families of loss curves whose label is known by construction, across noise levels and numbers of evaluations.

Each family takes a random generator and returns a job. Parameters are drawn well inside what the label means: where the
eye itself would waver there is no truth to test against.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from advisor.nouns import Curve, Job

EVALUATIONS = (4, 5, 6, 8, 10, 12, 16, 20, 30, 45, 60, 100)
TRAIN_POINTS = (8, 10, 20, 50, 100, 250, 500)
STEPS = 1000.0


def healthy(r: np.random.Generator) -> Job:
    """Falls with a time constant of a seventh of the run or less, and settles."""
    x, t, top, floor = _frame(r)
    fall = r.uniform(7, 30)
    return _job(
        r,
        _decay(t, fall, top, floor),
        _decay(x, fall, top, floor),
        noise=r.choice([0, 0.005, 0.01]) * (top - floor),
    )


def slow_convergence(r: np.random.Generator) -> Job:
    """Falls with a time constant of at least two thirds of the run."""
    x, t, top, floor = _frame(r)
    fall = r.uniform(0.3, 1.5)
    valid = _decay(x, fall, top, floor)
    return _job(
        r,
        _decay(t, fall, top, floor),
        valid,
        noise=r.choice([0, 0.01, 0.02]) * np.ptp(valid),
        train_noise=0.03,
    )


def overfitting(r: np.random.Generator) -> Job:
    """Falls to a lowest point in the first half, then rises by 15 % to 120 %, while training falls on."""
    x, t, top, floor = _frame(r)
    fall, turn = r.uniform(7, 30), r.uniform(0.1, 0.5)
    valid = _decay(x, fall, top, max(floor, 0.2 * top))
    valid = valid + valid.min() * r.uniform(0.15, 1.2) * np.maximum(0, (x - turn) / (1 - turn))
    return _job(
        r,
        _decay(t, fall, top, floor) * (1 - 0.6 * t),
        valid,
        noise=r.choice([0, 0.01, 0.03]) * (valid[-1] - valid.min()),
    )


def underfitting(r: np.random.Generator) -> Job:
    """Stays where it began."""
    x, t, top, _ = _frame(r)
    return _job(r, top + 0 * t, top + 0 * x, noise=r.choice([0.002, 0.005, 0.01]) * top, train_noise=0.005)


def oscillating(r: np.random.Generator) -> Job:
    """At least twenty evaluations that swing by 15 % to 40 % around a level."""
    n = int(r.integers(20, 80))
    _, t, top, _ = _frame(r)
    valid = top * np.ones(n)
    return _job(
        r,
        _decay(t, r.uniform(0, 2), top, 0.6 * top),
        valid,
        noise=r.uniform(0.15, 0.4) * top,
        train_noise=0.2,
    )


def diverged(r: np.random.Generator) -> Job:
    """Breaks off into NaN, or jumps to 1.5 to 3 times the first level and stays there."""
    x, t, top, floor = _frame(r)
    valid, train, after = _decay(x, 6, top, floor), _decay(t, 6, top, floor), r.uniform(0.3, 0.6)
    level = np.nan if r.random() < 0.5 else top * r.uniform(1.5, 3)
    valid[x > after], train[t > after] = level, level
    return _job(r, train, valid, noise=0.01 * top)


def insufficient_data(r: np.random.Generator) -> Job:
    """Two evaluations, or all of them NaN."""
    x, t, top, floor = _frame(r)
    valid = np.full(len(x), np.nan) if r.random() < 0.5 else np.array([top, floor])
    return _job(r, _decay(t, 6, top, floor), valid, noise=0)


FAMILIES: dict[str, Callable[[np.random.Generator], Job]] = {
    f.__name__: f
    for f in (healthy, slow_convergence, overfitting, underfitting, oscillating, diverged, insufficient_data)
}


def _frame(r: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Evaluation and training times in (0, 1], the first loss, and the floor."""
    n, m = r.choice(EVALUATIONS), r.choice(TRAIN_POINTS)
    top = float(np.exp(r.uniform(-1, 2.3)))
    return np.linspace(1 / n, 1, n), np.linspace(1 / m, 1, m), top, top * r.uniform(0.05, 0.6)


def _decay(x: np.ndarray, fall: float, top: float, floor: float) -> np.ndarray:
    return floor + (top - floor) * np.exp(-fall * x)


def _job(
    r: np.random.Generator, train: np.ndarray, valid: np.ndarray, noise: float, train_noise: float = 0.03
) -> Job:
    train = np.abs(train * (1 + r.normal(0, train_noise, len(train))))
    valid = np.abs(valid * r.uniform(1, 1.1) + r.normal(0, 1, len(valid)) * noise)
    return Job(
        status="succeeded",
        train=Curve(np.linspace(STEPS / len(train), STEPS, len(train)), train),
        full_valid=Curve(np.linspace(STEPS / len(valid), STEPS, len(valid)), valid),
    )
