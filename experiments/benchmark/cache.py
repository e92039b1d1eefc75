"""Keeps the peers' loops: they change only with the tables and with Optuna, and take most of the time.

Loops played on other tables, or with another Optuna, are not taken over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from experiments.benchmark.loops import Loop
from experiments.benchmark.tables import Table

FILE = Path(__file__).parent / "peers.json"


def basis(tables: Sequence[Table]) -> str:
    """What the peers' loops depend on, as a digest: every table's content, and Optuna's version."""
    known = [*sorted(t.digest for t in tables), version("optuna")]
    return hashlib.sha256(" ".join(known).encode()).hexdigest()[:16]


class Cache:
    """Loops by method, table, start and seed, in one JSON file; a `path` of None keeps nothing."""

    def __init__(self, basis: str, path: Path | None = FILE):
        self.basis, self.path = basis, path
        kept = json.loads(path.read_text()) if path and path.exists() else {}
        rows = kept["loops"] if kept.get("basis") == basis else []
        self.loops = {_key(loop): loop for loop in map(_loop, rows)}

    def get(self, method: str, table: str, start: int, seed: int, make: Callable[[], Loop]) -> Loop:
        """The loop as cached, else played now and kept."""
        key = (method, table, start, seed)
        if key not in self.loops:
            self.loops[key] = make()
        return self.loops[key]

    def save(self) -> None:
        if self.path is None:
            return
        rows = [json.dumps(_short(asdict(self.loops[k]))) for k in sorted(self.loops)]
        self.path.write_text(f'{{"basis": "{self.basis}", "loops": [\n' + ",\n".join(rows) + "\n]}\n")


def _key(loop: Loop) -> tuple[str, str, int, int]:
    return loop.method, loop.table, loop.start, loop.seed


def _loop(row: dict) -> Loop:
    return Loop(**row | {"regrets": tuple(row["regrets"])})


def _short(row: dict) -> dict:
    return row | {"regrets": [round(r, 5) for r in row["regrets"]]}
