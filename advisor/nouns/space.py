"""What a proposal may be: knobs with their limits. How they are read from JSON stands in `advisor.space_record`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

KnobName = Literal["n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate"]


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
    """The settings that a proposal may take. `rate_name` says which learning-rate knob the provider has.

    `limited` names the knobs that somebody has limited; the others are as wide as providers document.
    """

    n_epochs: Knob
    batch_size: Knob
    rate: Knob
    rate_name: KnobName = "learning_rate_multiplier"
    limited: frozenset[str] = field(default=frozenset(get_args(KnobName)), compare=False)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> SearchSpace:
        """Read a space record (lists of values, or {min, max}); raises RecordError naming every problem."""
        from advisor.space_record import read_space

        return read_space(record)

    def knobs(self) -> dict[str, Knob]:
        return {"n_epochs": self.n_epochs, "batch_size": self.batch_size, self.rate_name: self.rate}
