"""Whether a job ended as no number, told from values that its log merely lacks. Judges nothing else."""

from __future__ import annotations

import numpy as np

from advisor.measure.method import loss_of
from advisor.measure.series import Series

# A running job's log may lack its last values (some providers tell a loss a step late); three in a row are no accident.
MISSING = 3
# Nats per token: no cross-entropy as high is learned away to exactly 0 by the next logged step
ABRUPT = 0.1


def ends_broken(
    train: Series, valid: Series, *, running: bool, method: str | None = None
) -> tuple[bool, bool]:
    """Whether the training and the validation curve broke off: NaN or inf after finite losses, and never finite again.

    A validation loss that is a number at that step or later shows a model that is alive, whatever the training curve
    lacks; a training loss is taken before its step's update, so only a later one shows as much. A training loss that
    never was a number, beside no validation loss that is one, broke off before its first step was logged; so did any
    curve of inf alone, which is never a missing value; and zeros may stand for what is no number (`zeros_from`).
    """
    train_broke = _breaks_off(train, running) and not _finite_from(valid) >= train.last_step
    train_broke |= train.n_logged >= MISSING and not len(train) and not len(valid)
    train_broke |= zeros_from(train, valid, method) is not None
    valid_broke = _breaks_off(valid, running) and not _finite_from(train) > valid.last_step
    return train_broke, valid_broke


def zeros_from(train: Series, valid: Series, method: str | None = None) -> float | None:
    """The step from which on the training loss is exactly 0 in place of no number; None where it is not.

    Trainers that filter NaN out of their log write 0 for it (transformers does), as where 16-bit floats overflow. Zeros
    to the end are such where the loss fell to them at one go, or where there is nothing else and no validation loss is
    a number either; not where one is, at that step or later. A loss of rewards, by its `method` or since it was below 0, is
    0 where all answers did equally well.
    """
    if loss_of(method) == "reinforcement" or (train.loss < 0).any():
        return None
    n = int(np.argmax(np.append(train.loss[::-1] != 0, True)))  # zeros at the end
    if n < MISSING:
        return None
    since, before = float(train.step[-n]), train.loss[:-n]
    if _finite_from(valid) >= since:
        return None
    told = before[-1] > ABRUPT if len(before) else valid.n_logged > 0
    return since if told else None


def _breaks_off(series: Series, running: bool) -> bool:
    if not len(series):
        return series.tail_inf and (series.n_logged >= MISSING or not running)
    return series.n_tail >= MISSING or series.tail_inf or (series.n_tail > 0 and not running)


def _finite_from(series: Series) -> float:
    """The last step with a finite loss."""
    return float(series.step[-1]) if len(series) else float("-inf")
