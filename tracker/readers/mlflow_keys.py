"""What each logger calls its metrics, and how they map to the job record's fields. Pure data and lookup.

The same names appear in MLflow runs, TensorBoard tags and W&B columns, so this one table serves them all. Knows
nothing of MLflow itself: it is given metrics and params as plain dicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.readers.setting_keys import read_settings
from tracker.readers.values import Point, make_record


@dataclass(frozen=True)
class Dialect:
    """One logger's vocabulary.

    Attributes
    ----------
    name
        What the logger is called.
    marks
        Sets of keys; all keys of one set together give the dialect away.
    series
        Keys by record field, the best one first.
    first_step
        What the logger calls the first optimiser step: 1, or 0 where it counts from nought.
    epochwise
        Whether its steps are epochs.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    series: Mapping[str, tuple[str, ...]]
    first_step: int = 1
    epochwise: bool = False

    def fits(self, keys: set[str]) -> bool:
        return any(mark <= keys for mark in self.marks)


def _marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in sets)


# Hugging Face's Trainer evaluates the whole evaluation set, so eval_loss is a full validation loss. Its "train_loss"
# is the mean over the whole run, logged once at the end: no series.
HUGGING_FACE = Dialect(
    "Hugging Face Trainer",
    _marks(
        "eval_loss",
        "eval/loss",
        "loss grad_norm",
        "loss learning_rate",
        "train/loss train/global_step",
        "train/loss train/grad_norm",
        "train/loss train/learning_rate",
    ),
    {
        "train_loss": ("loss", "train/loss"),
        "full_valid_loss": ("eval_loss", "eval/loss"),
        "train_mean_token_accuracy": ("mean_token_accuracy", "train/mean_token_accuracy"),
        "full_valid_mean_token_accuracy": ("eval_mean_token_accuracy", "eval/mean_token_accuracy"),
    },
)
# Lightning's global step counts from 0 and it validates on the whole set, as a rule at epoch ends.
LIGHTNING = Dialect(
    "Lightning",
    _marks(
        "train_loss val_loss",
        "train_loss epoch",
        "valid_loss epoch",
        "train_loss_step",
        "train_loss_epoch",
        "train/loss val/loss",
        "train/loss_step",
        "train/loss_epoch",
        "training_loss validation_loss",
    ),
    {
        "train_loss": (
            "train_loss_step",
            "train_loss",
            "train/loss_step",
            "train/loss",
            "training_loss",
            "train_loss_epoch",
            "train/loss_epoch",
        ),
        "full_valid_loss": (
            "val_loss",
            "val/loss",
            "valid_loss",
            "validation_loss",
            "val_loss_epoch",
            "val/loss_epoch",
        ),
    },
    first_step=0,
)
KERAS = Dialect(
    "Keras",
    _marks("loss val_loss", "epoch_loss"),
    {
        "train_loss": ("loss", "epoch_loss"),
        "full_valid_loss": ("val_loss", "epoch_val_loss"),
    },
    first_step=0,
    epochwise=True,
)
OURS = Dialect(
    "OpenAI",
    _marks("full_valid_loss", "train_loss valid_loss", "train_loss train_mean_token_accuracy"),
    {
        "train_loss": ("train_loss",),
        "valid_loss": ("valid_loss",),
        "full_valid_loss": ("full_valid_loss",),
        "train_mean_token_accuracy": ("train_mean_token_accuracy", "train_accuracy"),
        "valid_mean_token_accuracy": ("valid_mean_token_accuracy",),
        "full_valid_mean_token_accuracy": ("full_valid_mean_token_accuracy",),
    },
)
# The order decides where keys are shared: eval_loss is nobody's but the Trainer's.
DIALECTS = (HUGGING_FACE, LIGHTNING, OURS, KERAS)
# Whose a loss is that comes without any telling neighbour.
LONE_KEYS = {
    "train/loss": HUGGING_FACE,
    "val/loss": LIGHTNING,
    "train_loss": OURS,
    "loss": KERAS,
    "val_loss": KERAS,
}

EPOCH_KEYS = ("epoch", "train/epoch")


def dialect_of(keys: set[str]) -> Dialect | None:
    """The first dialect whose marks are among `keys`; None where no key is a loss that anybody logs."""
    telling = next((d for d in DIALECTS if d.fits(keys)), None)
    return telling or next((dialect for key, dialect in LONE_KEYS.items() if key in keys), None)


def read_metrics(
    metrics: Mapping[str, Sequence[Point]], dialect: Dialect | None = None
) -> dict[str, list[Point]]:
    """Series by record field out of series by a logger's keys.

    Parameters
    ----------
    metrics
        Points `(step, value)` by key, in any order.
    dialect
        Whose keys they are; guessed from the keys where not given.

    Returns
    -------
    dict
        Points by record field, counted from 1 as the providers do; empty where no key is known.
    """
    present = {key: series for key, series in metrics.items() if series}
    dialect = dialect or dialect_of(set(present))
    if dialect is None:
        return {}
    out = {}
    for field, keys in dialect.series.items():
        key = next((k for k in keys if k in present), None)
        if key is not None:
            out[field] = _counted_from_one(present[key], dialect, is_eval="valid" in field)
    return out


def _counted_from_one(series: Sequence[Point], dialect: Dialect, *, is_eval: bool) -> list[Point]:
    if dialect.first_step == 1:
        return list(series)
    return [
        (0.0 if is_eval and i == 0 and _before_training(series) else s + 1, v)
        for i, (s, v) in enumerate(series)
    ]


def _before_training(series: Sequence[Point]) -> bool:
    """Whether the first evaluation, at step 0 of a logger that counts from 0, stands before any training.

    After the first step it would be followed by one after the second; a gap says that it was made beforehand.
    """
    return len(series) > 1 and series[0][0] == 0 and series[1][0] > 1


def steps_per_epoch(metrics: Mapping[str, Sequence[Point]], dialect: Dialect | None = None) -> float | None:
    """Optimiser steps in one epoch, from a logged `epoch` that has fractions; 1 where steps are epochs."""
    dialect = dialect or dialect_of({k for k, s in metrics.items() if s})
    if dialect is None:
        return None
    if dialect.epochwise:
        return 1.0
    if dialect.first_step == 0:  # such loggers write the epoch's index, which says nothing of its length
        return None
    epochs = next((metrics[k] for k in EPOCH_KEYS if metrics.get(k)), ())
    ratios = [step / epoch for step, epoch in epochs if epoch and epoch > 0 and step > 0]
    return ratios[-1] if ratios else None


def record_of_run(
    name: str, metrics: Mapping[str, Sequence[Point]], params: Mapping[str, Any], **fields: Any
) -> dict[str, Any]:
    """A job record out of any logger's run: its metrics' points by key and its params.

    Parameters
    ----------
    name
        The record's id.
    metrics
        Points `(step, value)` by the logger's key.
    params
        Settings by the logger's name.
    fields
        Record fields known otherwise (status, created_at, ...); they win.
    """
    dialect = dialect_of({key for key, series in metrics.items() if series})
    settings = read_settings(params)
    fields = {"steps_per_epoch": steps_per_epoch(metrics, dialect)} | settings | fields
    knobs = fields.pop("hyperparameters")
    return make_record(name, read_metrics(metrics, dialect), knobs, **fields)
