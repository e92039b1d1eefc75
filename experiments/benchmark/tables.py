"""Tables of real fine-tuning results: a tiny model fine-tuned at every setting of a grid, with all curves.

First line of a file: task, n_train, n_valid, train_tokens, schedule, base_loss, and family where the name does not tell it. Each further line is a setting:
n_epochs, batch_size, lrm, `train` and `valid` [[step, loss]], `full` [[step, loss, ...]], spe (steps per epoch), final.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier")
FOLDER = Path(__file__).parent / "tables"
LEARNED_FROM = (FOLDER / "more", FOLDER / "other")  # tables that no loop is played on here
WORST = 1e3  # stands for the loss of a setting that diverged
Key = tuple[int, int, float]


@dataclass(frozen=True)
class Table:
    """One task: its facts and every setting's row."""

    meta: dict[str, Any]
    rows: dict[Key, dict[str, Any]]
    digest: str = (
        ""  # of the file, so that what was measured on it can be told from what was measured on another
    )

    @property
    def name(self) -> str:
        return self.meta["task"]

    @property
    def family(self) -> str:
        """What the rows are, whatever their number: `chat_en` of `chat_en_100`. Tables of one family are no strangers."""
        if "family" in self.meta:
            return self.meta["family"]
        stem, _, size = self.name.rpartition("_")
        return stem if size.isdigit() else self.name

    @property
    def base(self) -> float:
        return self.meta["base_loss"]

    @cached_property
    def axes(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(sorted({k[i] for k in self.rows})) for i in range(3))

    @cached_property
    def best(self) -> float:
        return min(map(self.final, self.rows))

    @property
    def gain(self) -> float:
        """What tuning can attain: loss before it minus the table's best."""
        return self.base - self.best

    def final(self, key: Key) -> float:
        value = self.rows[key]["final"]
        return value if value is not None and math.isfinite(value) else WORST

    def regret(self, key: Key) -> float:
        """Share of the attainable gain that the setting misses."""
        return (self.final(key) - self.best) / self.gain

    def space(self) -> dict[str, list[float]]:
        return {knob: list(axis) for knob, axis in zip(KNOBS, self.axes, strict=True)}

    def record(self, key: Key, number: int = 0) -> dict[str, Any]:
        """The job record of a setting, as the tracker would hand it on."""
        row = self.rows[key]
        return {
            "id": f"job-{number}",
            "status": "succeeded" if row["final"] is not None else "failed",
            "n_train_examples": self.meta["n_train"],
            "n_valid_examples": self.meta["n_valid"],
            "base_valid_loss": self.base,
            "hyperparameters": dict(zip(KNOBS, key, strict=True)),
            "train_loss": [p[:2] for p in row["train"]],
            "valid_loss": [p[:2] for p in row["valid"]],
            "full_valid_loss": [p[:2] for p in row["full"]],
        }

    def starts(self, count: int, seed: int = 0) -> list[Key]:
        """First jobs: a provider's default, four bad ones, then random settings; the same for every method."""

        def near(i: int, x: float) -> float:
            return min(self.axes[i], key=lambda v: abs(math.log(v / x)))

        e, b, r = self.axes
        usual = (near(0, 3), near(1, 8))
        out = [
            (*usual, near(2, 0.8)),
            (*usual, r[0]),
            (*usual, r[-1]),
            (e[-1], b[0], near(2, 1.6)),
            (e[0], b[-1], near(2, 0.4)),
        ]
        rng = random.Random(seed)
        while len(out) < count:
            out.append(tuple(rng.choice(axis) for axis in self.axes))
        return out[:count]

    @cached_property
    def finals(self) -> np.ndarray:
        """float[epochs, batch, rate]"""
        return np.array(
            [[[self.final((e, b, r)) for r in self.axes[2]] for b in self.axes[1]] for e in self.axes[0]]
        )


def read(path: Path | str) -> Table:
    """Read one table; raises ValueError where a setting of the grid is missing."""
    text = gzip.decompress(Path(path).read_bytes())
    meta, *rows = map(json.loads, text.splitlines())
    settings = {(r["n_epochs"], r["batch_size"], r["lrm"]): r for r in rows}
    table = Table(meta, settings, hashlib.sha256(text).hexdigest()[:12])
    size = math.prod(len(axis) for axis in table.axes)
    if len(table.rows) != size:
        raise ValueError(
            f"{path} has {len(table.rows)} settings; expected {size}, one for each of its axes' values"
        )
    return table


def read_all(folder: Path | str = FOLDER) -> list[Table]:
    paths = [p for p in sorted(Path(folder).glob("*.jsonl.gz")) if p.stat().st_size]
    if not paths:
        raise FileNotFoundError(f"no *.jsonl.gz in {folder}; expected tables of fine-tuning results")
    return [read(p) for p in paths]
