"""What a provider reports: a job, its knobs, its curves. How they are read from JSON stands in `advisor.records`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

OVERFLOW = 1e15  # no step and no loss is as large: sums and squares of what is would overflow
AUTO = "auto"  # the provider chooses; legal in a request, never in a resolved job


@dataclass(frozen=True)
class HyperParameters:
    """The three knobs of a fine-tuning job. None: not known, or left to the provider and not resolved yet."""

    n_epochs: int | float | str | None = None  # passes over the training file
    batch_size: int | float | str | None = None  # examples per optimiser step
    learning_rate_multiplier: float | str | None = None  # times the provider's base learning rate
    learning_rate: float | str | None = None  # absolute, where the provider has no multiplier

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> HyperParameters:
        from advisor.records import read_hyperparameters

        return read_hyperparameters(record)

    def to_record(self) -> dict[str, Any]:
        """Only the learning-rate knob that is in use appears; the three knobs always do."""
        out = {"n_epochs": self.n_epochs, "batch_size": self.batch_size}
        if self.learning_rate is not None:
            out["learning_rate"] = self.learning_rate
        if self.learning_rate_multiplier is not None or self.learning_rate is None:
            out["learning_rate_multiplier"] = self.learning_rate_multiplier
        return out


@dataclass(frozen=True, eq=False)
class Curve:
    """A series as logged: neither sorted nor cleaned; a loss that was no number is NaN, an overflow inf."""

    step: np.ndarray = field(default_factory=lambda: np.empty(0))  # float[n], optimiser steps (or epochs)
    loss: np.ndarray = field(default_factory=lambda: np.empty(0))  # float[n], nats per token (or an accuracy)

    def __post_init__(self) -> None:
        for name in ("step", "loss"):  # lists do as well
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))

    def __len__(self) -> int:
        return len(self.step)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Curve)
            and np.array_equal(self.step, other.step, equal_nan=True)
            and np.array_equal(self.loss, other.loss, equal_nan=True)
        )

    __hash__ = None  # arrays have no hash


@dataclass(frozen=True)
class Job:
    """One fine-tuning job as its provider reported it."""

    id: str | None = None
    status: str | None = None  # as the provider says it: succeeded, failed, cancelled, running, queued ...
    created_at: float | None = None  # seconds since 1970, UTC
    provider: str | None = None
    model: str | None = None
    method: str | None = None  # supervised, dpo ...
    seed: int | None = None
    hyperparameters: HyperParameters = field(default_factory=HyperParameters)
    n_train_examples: int | None = None
    n_valid_examples: int | None = None
    base_valid_loss: float | None = None  # nats per token before any training
    train: Curve = field(default_factory=Curve)
    valid: Curve = field(default_factory=Curve)  # one validation batch a point: noisy
    full_valid: Curve = field(default_factory=Curve)  # the whole validation set a point
    train_accuracy: Curve = field(default_factory=Curve)  # share of tokens, 0 to 1
    valid_accuracy: Curve = field(default_factory=Curve)
    full_valid_accuracy: Curve = field(default_factory=Curve)
    train_digest: str | None = None  # SHA-256 of the training file
    valid_digest: str | None = None
    steps_per_epoch: float | None = None
    total_steps: float | None = None
    lr_schedule: str | None = None  # constant, linear, cosine ...
    checkpoint_steps: tuple[float, ...] = ()  # those that exist at the provider
    trained_tokens: float | None = None
    cost_usd: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)  # evaluation metrics, by name

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Job:
        """Read a job record; raises RecordError naming every wrong type at once.

        The fields stand in README.md under "Job records": `hyperparameters` and a curve, as `full_valid_loss`
        with `[[step, loss], ...]`, are the least that something can be said of; any may be missing or null.
        """
        from advisor.records import read_job

        return read_job(record)

    @property
    def unit(self) -> str:
        """What a step of its curves is called: an epoch where its log has nothing finer, as Keras's."""
        return "epoch" if self.steps_per_epoch == 1 else "step"

    @property
    def succeeded(self) -> bool:
        """Came to its end, as far as is known."""
        return self.status in (None, "succeeded")

    @property
    def pending(self) -> bool:
        """Still to end: its settings are taken, its result is not known."""
        return self.status not in (None, "succeeded", "failed", "cancelled")
