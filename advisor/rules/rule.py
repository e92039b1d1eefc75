"""What a rule is: a symptom with an id, the guide's line that it encodes, and a verdict on measurements.

A rule looks at figures, and where symptoms exclude each other at another rule's verdict on the same figures; never at
curves or files.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.measured import MEASURED

TOO_FEW = "fewer than 3 finite validation losses"


class Threshold(float):
    """A limit that knows its unit and whence it comes; counts as a plain float."""

    unit: str
    origin: str

    def __new__(cls, value: float, unit: str, origin: str) -> Threshold:
        limit = super().__new__(cls, value)
        limit.unit, limit.origin = unit, origin
        return limit


class Rule(Protocol):
    """A unit of judgement. Subclass it in a file of its own and name it in `catalogue.CATALOGUE`."""

    id: ClassVar[str]  # FT201: stable, never reused
    name: ClassVar[str]  # the symptom, never the cure
    guide: ClassVar[tuple[str, ...]]  # the guide's lines that it encodes; empty where the guide is silent

    news: ClassVar[bool] = False  # firing is no trouble: told, but never as a problem
    good: ClassVar[bool] = False  # firing says that all is well: where it does not, nothing is "clear"

    def look(self, m: Measurements) -> Finding:
        """The verdict, with the figures it rests on beside their limits."""
        ...

    def holds(self, m: Measurements) -> bool:
        """Whether it fires: for rules whose symptoms exclude each other."""
        return self.look(m).fires

    def act(self, m: Measurements) -> tuple[Move, ...]:
        """The moves that the symptom stands for and measurement bears out; called where the rule fires."""
        return ()

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        """What the guide says beyond `act`."""
        return ()

    def fires(self, m: Measurements, reason: str, **evidence: Any) -> Finding:
        moves, guide = (_to_come(m, made) for made in (self.act(m), self.act_by_guide(m)))
        return Finding(
            self.id,
            self.name,
            "fires",
            _plain(evidence),
            reason,
            moves,
            tuple(self._with_rate(g) for g in guide if (g.knob, g.direction) not in _ways(moves)),
        )

    def clear(self, reason: str, **evidence: Any) -> Finding:
        return Finding(self.id, self.name, "clear", _plain(evidence), reason)

    def cannot_tell(self, missing: str) -> Finding:
        return Finding(self.id, self.name, "cannot_tell", {}, f"cannot tell: {missing}")

    def _with_rate(self, move: Move) -> Move:
        if move.measured:  # a rule may know better for the case at hand
            return move
        right, possible = times_right(self.id, move)
        told = f"right on {right} of {possible} jobs" if possible else "not measured"
        return Move(move.knob, move.direction, move.aim, told)


def times_right(rule_id: str, move: Move) -> tuple[int, int]:
    """On how many jobs of the benchmark a rule's move was right, and on how many it was possible.

    The benchmark's tables name rates as multipliers; up and down mean the same for absolute ones.
    """
    knob = "learning_rate_multiplier" if move.knob == "learning_rate" else move.knob
    return MEASURED.get(rule_id, {}).get(f"{knob} {move.direction}", (0, 0))


def rate_of(m: Measurements) -> str:
    """The learning-rate knob that this job has."""
    h = m.hyperparameters
    absolute = h.learning_rate is not None and h.learning_rate_multiplier is None
    return "learning_rate" if absolute else "learning_rate_multiplier"


def _to_come(m: Measurements, moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """Without more epochs where a job still runs: the epochs that it has to go may do."""
    return tuple(x for x in moves if not (m.pending and (x.knob, x.direction) == ("n_epochs", "up")))


def _ways(moves: tuple[Move, ...]) -> set[tuple[str, str]]:
    return {(m.knob, m.direction) for m in moves}


def _plain(evidence: dict[str, Any]) -> dict[str, Any]:
    """Figures as plain JSON numbers, to the digits that a reader can use."""
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in evidence.items()}
