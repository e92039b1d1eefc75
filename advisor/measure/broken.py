"""Whether a job ended as no number, told from values that its log merely lacks. Judges nothing else."""

from __future__ import annotations

from advisor.measure.series import Series

# A running job's log may lack its last values (some providers tell a loss a step late); three in a row are no accident.
MISSING = 3


def ends_broken(train: Series, valid: Series, *, running: bool) -> tuple[bool, bool]:
    """Whether the training and the validation curve broke off: NaN or inf after finite losses, and never finite again.

    A validation loss that is a number at that step or later shows a model that is alive, whatever the training curve
    lacks; a training loss is taken before its step's update, so only a later one shows as much. A training loss that
    never was a number, beside no validation loss that is one, broke off before its first step was logged.
    """
    train_broke = _breaks_off(train, running) and not _finite_from(valid) >= train.last_step
    train_broke |= train.n_logged >= MISSING and not len(train) and not len(valid)
    valid_broke = _breaks_off(valid, running) and not _finite_from(train) > valid.last_step
    return train_broke, valid_broke


def _breaks_off(series: Series, running: bool) -> bool:
    return series.n_tail >= MISSING or series.tail_inf or (series.n_tail > 0 and not running)


def _finite_from(series: Series) -> float:
    """The last step with a finite loss."""
    return float(series.step[-1]) if len(series) else float("-inf")
