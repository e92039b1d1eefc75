"""What each logger calls its metrics, as data: one dialect each, and the guess whose a set of keys is.

The same names appear in MLflow runs, TensorBoard tags and W&B columns, so this one table serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
        "full_valid_loss": ("val_loss", "val_epoch_loss"),
    },
    first_step=0,
    epochwise=True,
)
# The tags of PyTorch's own tutorial; whether steps or epochs are counted everybody decides.
PYTORCH = Dialect(
    "PyTorch",
    _marks("Loss/train"),
    {
        "train_loss": ("Loss/train",),
        "full_valid_loss": ("Loss/val", "Loss/valid", "Loss/validation", "Loss/eval", "Loss/test"),
    },
    first_step=0,
)
OURS = Dialect(
    "OpenAI",
    _marks(
        "full_valid_loss",
        "train_loss train_mean_token_accuracy",
        "train_loss valid_loss train_accuracy",
        "train_loss valid_loss valid_mean_token_accuracy",
    ),
    {
        "train_loss": ("train_loss",),
        "valid_loss": ("valid_loss",),
        "full_valid_loss": ("full_valid_loss",),
        "train_mean_token_accuracy": ("train_mean_token_accuracy", "train_accuracy"),
        "valid_mean_token_accuracy": ("valid_mean_token_accuracy",),
        "full_valid_mean_token_accuracy": ("full_valid_mean_token_accuracy",),
    },
)
# Without an accuracy beside it a validation loss of that name is that of somebody's own loop: of the whole set.
LOOP = Dialect(
    "a loop of its own",
    _marks("train_loss valid_loss"),
    {"train_loss": ("train_loss",), "full_valid_loss": ("valid_loss",)},
    first_step=0,
)
# The order decides where keys are shared: eval_loss is nobody's but the Trainer's.
DIALECTS = (HUGGING_FACE, LIGHTNING, OURS, LOOP, KERAS, PYTORCH)
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
