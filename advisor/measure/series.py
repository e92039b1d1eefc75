"""Turns a logged curve into a series that can be measured: finite, ascending in step, one value a step.

Survives what occurs in the wild: NaN and inf, missing, repeated and out-of-order steps, several evaluations at one
step, a final evaluation that repeats an earlier one because the best model was loaded back. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import numpy as np

from advisor.nouns import Curve
from advisor.nouns.job import OVERFLOW

UNDERFLOW = 1e-100  # so small a loss is 0: shares of it would overflow
CHANCE_DIGITS = 5  # two losses rounded to as many digits agree by chance now and then


@dataclass(frozen=True, eq=False)
class Series:
    """What is left of a curve after cleaning."""

    step: np.ndarray  # float[n], strictly ascending
    loss: np.ndarray  # float[n], finite
    n_logged: int = 0  # points as logged
    n_broken: int = 0  # of these: NaN, inf, overflown
    n_tail: int = 0  # points after the last finite one: NaN, inf, overflown; 0 where none is finite
    # of these, or of all where none is finite, one is inf or overflown: more than a missing value
    tail_inf: bool = False
    last_step: float = -np.inf  # of the last logged point, broken or not

    def __len__(self) -> int:
        return len(self.step)

    def without_first(self) -> Series:
        """The points after the first."""
        return replace(self, step=self.step[1:], loss=self.loss[1:])


# By curve and how it is read; the curve stands beside it, so that no other one gets its id. None: nothing is kept
_cleaned: ContextVar[dict | None] = ContextVar("cleaned", default=None)


@contextmanager
def cleaned_once() -> Iterator[None]:
    """Inside it no curve is cleaned twice: rules, proposals and forecasts each read all of them."""
    token = _cleaned.set({})
    try:
        yield
    finally:
        _cleaned.reset(token)


def clean(curve: Curve, start: float | None = None, *, reload: bool = False) -> Series:
    """The measurable part of `curve`.

    Parameters
    ----------
    curve : Curve
        As logged.
    start : float, optional
        The loss before training: becomes the value at step 0 where the curve has none.
    reload : bool
        Whether the last value may be that of the best model, loaded back at the end of a job.
    """
    known = _cleaned.get()
    if known is None:
        return _clean(curve, start, reload)
    key = id(curve), start, reload
    if key not in known:
        known[key] = curve, _clean(curve, start, reload)
    return known[key][1]


def _clean(curve: Curve, start: float | None, reload: bool) -> Series:
    step, loss = _positions(curve.step), curve.loss
    if not _ascending(step):
        order = np.argsort(step, kind="stable")
        step, loss = step[order], loss[order]
    last = float(step[-1]) if len(step) else -np.inf
    size = np.abs(loss)
    finite = size < OVERFLOW  # NaN compares as false
    step, value = step[finite], np.where(size < UNDERFLOW, 0.0, loss)[finite]
    if reload and _reloaded(step, value):
        step, value = step[:-1], value[:-1]
    step, value = _one_value_a_step(step, value)
    if start is not None and np.isfinite(start) and len(step) and step[0] > 0:
        step, value = np.append(0.0, step), np.append(start, value)
    broken = int(len(loss) - finite.sum())
    n_tail = int(np.argmax(finite[::-1])) if finite.any() else 0
    tail = loss[len(loss) - n_tail :] if finite.any() else loss
    tail_inf = not np.isnan(tail).all()
    return Series(step, value, len(loss), broken, n_tail, tail_inf, last)


def _positions(step: np.ndarray) -> np.ndarray:
    """Steps with the gaps filled in log order; the place in the log where steps say nothing."""
    if _ascending(step) and step[0] > -OVERFLOW and step[-1] < OVERFLOW:  # as most are: nothing to mend
        return step
    known = np.abs(step) < OVERFLOW
    place = np.arange(len(step), dtype=float)
    if not known.any() or (len(step) > 1 and step[known].min() == step[known].max()):
        return place
    if known.all():
        return step
    return np.interp(place, place[known], step[known])


def _ascending(step: np.ndarray) -> bool:
    return len(step) > 1 and bool((step[1:] > step[:-1]).all())


def _reloaded(step: np.ndarray, loss: np.ndarray) -> bool:
    """Whether the last evaluation is an earlier one over again, to the last bit.

    Trainers that load the best model back at the end (best by loss or by another metric) evaluate it once more; read
    as a point of the run, it hides that the loss had risen. That no training lies before it tells it from a loss that
    came by again; where steps are as far apart as ever, figures too long to agree by chance do.
    """
    if len(loss) < 3 or loss[-1] == loss[-2] or loss[-1] not in loss[:-2]:
        return False
    gaps = np.diff(step)
    return bool(gaps[-1] < np.median(gaps) / 2 or float(f"{loss[-1]:.{CHANCE_DIGITS}g}") != loss[-1])


def _one_value_a_step(step: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean where several values stand at one step (a resumed run, several evaluation sets)."""
    if len(step) < 2 or _ascending(step):
        return step, loss
    unique, group = np.unique(step, return_inverse=True)
    count = np.bincount(group)
    return unique, np.bincount(group, weights=loss / count[group])
