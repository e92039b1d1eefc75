"""Tables drawn finer: a task whose space is ranges, as providers have them, in place of a few listed values.

Between the settings that were trained the loss is the smoothed surface's, on the common scale, with the noise of a seed on every
evaluation. So it is half made up: it tells how a loop fares where a space has a thousand settings, not how well a surface of the
library fits a task that it has not seen; that is what the tables themselves tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from advisor.nouns import SearchSpace
from advisor.propose.beliefs import Lattice
from advisor.propose.grid import candidates
from advisor.propose.rates import reference_rate
from advisor.propose.scale import SOFT, to_share
from advisor.propose.surfaces import Surface
from experiments.benchmark.surfaces import surface
from experiments.benchmark.tables import KNOBS, Key, Table

STILL = Lattice(np.zeros(1), np.zeros(1))  # a task is its own surface, shifted by nothing
SEED_NOISE = 0.01  # share of the gain by which another seed changes a final loss: README of `tables`
TRAIN_NOISE = 0.05  # of a batch's training loss
TRAIN_POINTS = 5  # an epoch


@dataclass(frozen=True)
class Dense(Table):
    """A table whose rows also hold `exact`, the final loss without noise, by which regret is measured."""

    @cached_property
    def best(self) -> float:
        return min(row["exact"] for row in self.rows.values())

    def regret(self, key: Key) -> float:
        return (self.rows[key]["exact"] - self.best) / self.gain

    def space(self) -> dict[str, Any]:
        return _ranges(self)


def dense(table: Table) -> Dense:
    """Every setting that a proposal may take between the ends of the table's axes."""
    s = surface(table)
    space = SearchSpace.from_record(_ranges(table))
    grid = candidates(space, reference_rate(space))
    keys = [(int(e), int(b), float(r)) for e, b, r in grid.settings]
    rng = np.random.default_rng(int(table.digest.partition(" ")[0] or "0", 16) % 2**32)
    meta = {**table.meta, "family": table.family}
    return Dense(meta, {k: _row(table, s, k, rng) for k in keys}, f"dense {table.digest}")


def _ranges(table: Table) -> dict[str, Any]:
    return {knob: {"min": a[0], "max": a[-1]} for knob, a in zip(KNOBS, table.axes, strict=True)}


def _row(table: Table, s: Surface, key: Key, rng: np.random.Generator) -> dict[str, Any]:
    """One run: validation after every epoch, training losses between them."""
    epochs, batch, _ = key
    spe = int(np.ceil(table.meta["n_train"] / batch))
    seen = np.arange(1, epochs + 1)
    run = np.repeat(np.log2([key]), epochs, axis=0)
    gain = s.gain * table.base
    floor = table.base - gain
    exact = floor + gain * np.maximum(to_share(s.on_the_way(np.log2(seen), run, STILL)[0]), 0.0)
    exact[-1] = floor + gain * max(float(to_share(s.at_end(run[-1:], STILL)[0, 0])), 0.0)
    valid = exact + SEED_NOISE * gain * rng.normal(size=epochs)
    train = table.base * np.maximum(np.exp(s.training(np.log2(seen), run, STILL)[0]) - SOFT, 1e-4)
    return {
        "spe": spe,
        "train": _batches(table.base, train, spe, rng),
        "valid": [],
        "full": [[0, table.base], *([int(e * spe), float(v)] for e, v in zip(seen, valid, strict=True))],
        "final": float(valid[-1]),
        "exact": float(exact[-1]),
    }


def _batches(base: float, train: np.ndarray, spe: int, rng: np.random.Generator) -> list[list[float]]:
    """Training losses on the way between the epochs' means, with the noise of batches."""
    share = np.arange(1, len(train) * TRAIN_POINTS + 1) / TRAIN_POINTS
    loss = np.interp(share, np.arange(len(train) + 1), [base, *train])
    loss = loss * np.exp(TRAIN_NOISE * rng.normal(size=len(loss)))
    steps = np.maximum(np.round(share * spe), 1).astype(int)
    return [[int(a), float(v)] for a, v in dict(zip(steps, loss, strict=True)).items()]
