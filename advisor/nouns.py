"""The nouns of the advisor: frozen values that every other module speaks in.

Knows nothing of files, MLflow, providers or rules. How they are read from JSON stands in `records.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

AUTO = "auto"  # the provider chooses; legal in a request, never in a resolved job

KnobName = Literal["n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate"]
Verdict = Literal["fires", "clear", "cannot_tell"]
Label = Literal[
    "insufficient_data",
    "diverged",
    "overfitting",
    "oscillating",
    "underfitting",
    "slow_convergence",
    "healthy",
]


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
        """Read a job record (the JSON of the README); raises RecordError naming every wrong type at once."""
        from advisor.records import read_job

        return read_job(record)

    @property
    def pending(self) -> bool:
        """Still to end: its settings are taken, its result is not known."""
        return self.status not in (None, "succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Knob:
    """What one knob may be: listed `values`, or anything from `low` to `high`."""

    values: tuple[float, ...] = ()  # ascending; empty: a range
    low: float = 0.0
    high: float = float("inf")
    integer: bool = False

    def contains(self, value: float) -> bool:
        if self.values:
            return any(np.isclose(value, v, rtol=1e-9) for v in self.values)
        return self.low <= value <= self.high and (not self.integer or float(value).is_integer())

    def nearest(self, value: float) -> float:
        """The allowed value that is nearest by ratio (all knobs act by their ratio)."""
        if self.values:
            return min(self.values, key=lambda v: abs(np.log(v / value)))
        value = min(max(value, self.low), self.high)
        if not self.integer:
            return float(value)
        return int(min(max(round(value), np.ceil(self.low)), np.floor(self.high)))


@dataclass(frozen=True)
class SearchSpace:
    """The settings that a proposal may take. `rate_name` says which learning-rate knob the provider has."""

    n_epochs: Knob
    batch_size: Knob
    rate: Knob
    rate_name: KnobName = "learning_rate_multiplier"

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> SearchSpace:
        """Read a space record (lists of values, or {min, max}); raises RecordError naming every problem."""
        from advisor.space_record import read_space

        return read_space(record)

    def knobs(self) -> dict[str, Knob]:
        return {"n_epochs": self.n_epochs, "batch_size": self.batch_size, self.rate_name: self.rate}


@dataclass(frozen=True)
class Move:
    """A change of one knob. `aim` loss: expected to lower the final loss; speed: to keep it at less time."""

    knob: str
    direction: Literal["up", "down"]
    aim: Literal["loss", "speed"] = "loss"
    measured: str | None = None  # how often it was right on the benchmark, as "right on 21 of 82 jobs"

    def to_record(self) -> dict[str, Any]:
        out = {"knob": self.knob, "direction": self.direction, "aim": self.aim}
        return out | ({"measured": self.measured} if self.measured else {})


@dataclass(frozen=True)
class Finding:
    """What one rule saw: a verdict, the figures it rests on, the reason in words."""

    rule: str  # FT201
    name: str  # the symptom
    verdict: Verdict
    evidence: dict[str, Any] = field(default_factory=dict)  # figures beside their limits
    reason: str = ""
    moves: tuple[Move, ...] = ()  # borne out by measurement
    guide_moves: tuple[Move, ...] = ()  # what the guide says beyond that, with its measured rate

    def to_record(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "name": self.name,
            "verdict": self.verdict,
            "evidence": dict(self.evidence),
            "reason": self.reason,
            "moves": [m.to_record() for m in self.moves],
            "guide_moves": [m.to_record() for m in self.guide_moves],
        }


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on the newest job and every rule's finding, fired or not."""

    label: Label
    findings: tuple[Finding, ...] = ()

    @property
    def fired(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict == "fires")

    def to_record(self) -> dict[str, Any]:
        return {"label": self.label, "findings": [f.to_record() for f in self.findings]}


@dataclass(frozen=True)
class Proposal:
    """The next job's setting, or the word that no further job is worth its cost."""

    hyperparameters: HyperParameters | None
    because: tuple[str, ...] = ()  # ids of the rules that carry it
    expect: str = ""  # what it should bring, and what speaks against it
    stop: bool = False
    reason: str | None = None  # where stop: why

    def to_record(self) -> dict[str, Any]:
        out = {
            "stop": self.stop,
            "hyperparameters": self.hyperparameters.to_record() if self.hyperparameters else None,
            "because": list(self.because),
            "expect": self.expect,
        }
        return out | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True)
class Keep:
    """The best model so far: a job and the step of its checkpoint. Job None, step 0: the base model."""

    job: str | None = None
    step: float = 0

    def to_record(self) -> dict[str, Any]:
        return {"job": self.job, "step": self.step}


@dataclass(frozen=True)
class Live:
    """Whether a running job should be stopped on what it has shown so far."""

    stop_now: bool = False
    reason: str | None = None

    def to_record(self) -> dict[str, Any]:
        return {"stop_now": self.stop_now, "reason": self.reason}


@dataclass(frozen=True)
class Advice:
    """Everything that `advise` has to say. `proposals` has `n` entries; the first is the proposal."""

    diagnosis: Diagnosis
    proposals: tuple[Proposal, ...]
    alternatives: tuple[Proposal, ...] = ()
    keep: Keep = field(default_factory=Keep)
    live: Live = field(default_factory=Live)

    @property
    def proposal(self) -> Proposal:
        return self.proposals[0]

    def to_record(self) -> dict[str, Any]:
        proposals = [p.to_record() for p in self.proposals]
        return {
            "diagnosis": self.diagnosis.to_record(),
            "proposal": proposals[0],
            "proposals": proposals,
            "alternatives": [p.to_record() for p in self.alternatives],
            "keep": self.keep.to_record(),
            "live": self.live.to_record(),
        }
