"""What the advisor answers: findings, a diagnosis, proposals, and the JSON of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from advisor.nouns.job import HyperParameters

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

    @property
    def fires(self) -> bool:
        return self.verdict == "fires"

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
        return tuple(f for f in self.findings if f.fires)

    def to_record(self) -> dict[str, Any]:
        return {"label": self.label, "findings": [f.to_record() for f in self.findings]}


@dataclass(frozen=True)
class Cost:
    """What a proposed job takes, and how many times what another one took; None where that is not known."""

    steps: float | None = None
    trained_tokens: float | None = None
    usd: float | None = None
    beside: str | None = None  # id of the job that the times are of: the best so far
    times_steps: float | None = None
    times_tokens: float | None = None  # passes over the same examples: what a provider bills

    def to_record(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Forecast:
    """What a proposed job is expected to bring, in the figures that its `expect` tells; None where one is not known."""

    chance: float  # of beating the best so far by more than 2 % of the attainable gain
    # final (or best) validation loss, nats per token: eight in ten lie between low and high
    low: float | None = None
    middle: float | None = None
    high: float | None = None
    best: float | None = None  # lowest that a job ended with

    def to_record(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Proposal:
    """The next job's setting, or the word that no further job is worth its cost."""

    hyperparameters: HyperParameters | None
    because: tuple[str, ...] = ()  # ids of the rules that carry it
    expect: str = ""  # what it should bring, and what speaks against it
    stop: bool = False
    reason: str | None = None  # where stop: why
    cost: Cost | None = None  # None: the provider chooses the setting
    forecast: Forecast | None = None  # None: nothing is known that figures could rest on

    def to_record(self) -> dict[str, Any]:
        out = {
            "stop": self.stop,
            "hyperparameters": self.hyperparameters.to_record() if self.hyperparameters else None,
            "because": list(self.because),
            "expect": self.expect,
        }
        added = {"cost": self.cost, "forecast": self.forecast}
        records = {name: record for name, noun in added.items() if noun and (record := noun.to_record())}
        return out | ({"reason": self.reason} if self.reason else {}) | records


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
    notes: tuple[str, ...] = ()  # which jobs were counted once, or not compared, and why

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
            "notes": list(self.notes),
        }
