"""The settings that a proposal may take, as a table of candidates.

Listed values stand as they are; a range becomes the round values that people use (epochs and batch sizes are
whole numbers, learning rates step by the square root of two).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.nouns import AUTO, HyperParameters, Job, Knob, SearchSpace
from advisor.propose.rates import reference_rate
from advisor.propose.series import all_blew_up
from advisor.records import is_number
from advisor.space_record import COVERED, around

EPOCHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100)
RATE_STEP = np.sqrt(2.0)  # about the finest step that changes a final loss by more than its noise
COLUMN = {
    "n_epochs": 0,
    "batch_size": 1,
    "learning_rate_multiplier": 2,
    "learning_rate": 2,
}  # of a grid, by knob
# Times beyond the rates and batch sizes tried so far, and beyond the provider's own rate: what lies further is a guess
# that may cost a job, and another step gets there (experiments/LOG.md).
REACH = 4.0
DIGITS = 4  # of a learning rate: it is read and typed by people
MOST_VALUES = 24  # per knob; a longer list is thinned, so that a table stays below 14,000 rows


@dataclass(frozen=True)
class Grid:
    """Candidates: one row a setting, columns epochs, batch size, learning rate in the provider's unit."""

    settings: np.ndarray  # float[m, 3]
    rate_name: str

    @property
    def logs(self) -> np.ndarray:
        return np.log2(self.settings)

    def hyperparameters(self, row: int) -> HyperParameters:
        epochs, batch, rate = self.settings[row]
        return HyperParameters(_whole(epochs), _whole(batch), **{self.rate_name: float(rate)})


def within_reach(space: SearchSpace, jobs: Sequence[Job]) -> SearchSpace:
    """The space with its ranges cut to what is known: neither tables nor jobs say anything far beyond themselves.

    Listed values stand, and so does a range that lies outside: somebody chose them.
    """
    near = {knob: _cut(getattr(space, knob), around(knob, jobs)) for knob in COVERED}
    near["batch_size"] = _reached(near["batch_size"], "batch_size", jobs)
    # an absolute rate has no default that could be known; the usual one is known to be nearer than rates that all blew up
    default = space.rate_name == "learning_rate_multiplier" or all_blew_up(jobs)
    usual = [reference_rate(space)] if default else []
    return replace(space, **near, rate=_reached(space.rate, space.rate_name, jobs, usual))


def _reached(knob: Knob, name: str, jobs: Sequence[Job], usual: Sequence[float] = ()) -> Knob:
    """The range of a batch size or rate within REACH times of those tried, and of the usual one."""
    tried = [v for j in jobs if is_number(v := getattr(j.hyperparameters, name)) and v > 0]
    known = [*tried, *usual]
    return _cut(knob, {"min": min(known) / REACH, "max": max(known) * REACH}) if tried else knob


def _cut(knob: Knob, to: dict[str, float]) -> Knob:
    low, high = max(knob.low, to["min"]), min(knob.high, to["max"])
    return knob if knob.values or low > high else replace(knob, low=low, high=high)


def candidates(space: SearchSpace, center: float) -> Grid:
    """All combinations of the knobs' values; `center` is a learning rate that a range's steps pass through."""
    epochs = _values(space.n_epochs, np.array(EPOCHS, dtype=float))
    batch = _values(space.batch_size, 2.0 ** np.arange(0, 13))
    rates = [float(f"{v:.3g}") for v in center * RATE_STEP ** np.arange(-40, 41)]
    rate = _values(space.rate, np.array(rates))
    mesh = np.meshgrid(epochs, batch, rate, indexing="ij")
    return Grid(np.stack([m.ravel() for m in mesh], axis=1), space.rate_name)


def same(settings: np.ndarray, setting: np.ndarray) -> np.ndarray:
    """bool[m]: which rows are this setting, up to rounding."""
    return np.all(np.isclose(settings, setting, rtol=1e-6), axis=-1)


def all_auto(space: SearchSpace) -> HyperParameters:
    return HyperParameters(AUTO, AUTO, **{space.rate_name: AUTO})


def _values(knob: Knob, usual: np.ndarray) -> np.ndarray:
    if knob.values:
        values = np.array(knob.values, dtype=float)
    else:
        values = usual[(usual >= knob.low) & (usual <= knob.high)]
        if not len(values):  # a range between two usual values
            values = np.array([_short(knob, np.sqrt(knob.low * knob.high))], dtype=float)
    if len(values) > MOST_VALUES:
        values = values[np.unique(np.linspace(0, len(values) - 1, MOST_VALUES).round().astype(int))]
    return values


def _short(knob: Knob, value: float) -> float:
    """The nearest allowed value, to DIGITS digits where that is still inside the range."""
    exact = knob.nearest(value)
    rounded = float(f"{exact:.{DIGITS}g}")
    return rounded if knob.contains(rounded) else float(exact)


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)
