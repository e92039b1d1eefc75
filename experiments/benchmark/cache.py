"""Keeps the peers' loops: they change only with the tables and with Optuna, and take most of the time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from experiments.benchmark.loops import Loop

FILE = Path(__file__).parent / "peers.json"


class Cache:
    """Loops by method, table, start and seed, in one JSON file."""

    def __init__(self, path: Path = FILE):
        self.path = path
        rows = json.loads(path.read_text()) if path.exists() else []
        self.loops = {_key(loop): loop for loop in map(_loop, rows)}

    def get(self, method: str, table: str, start: int, seed: int, make: Callable[[], Loop]) -> Loop:
        """The loop as cached, else played now and kept."""
        key = (method, table, start, seed)
        if key not in self.loops:
            self.loops[key] = make()
        return self.loops[key]

    def save(self) -> None:
        rows = [asdict(self.loops[k]) for k in sorted(self.loops)]
        self.path.write_text("[\n" + ",\n".join(json.dumps(_short(r)) for r in rows) + "\n]\n")

    def of(self, methods: Iterable[str]) -> list[Loop]:
        wanted = set(methods)
        return [loop for loop in self.loops.values() if loop.method in wanted]


def _key(loop: Loop) -> tuple[str, str, int, int]:
    return loop.method, loop.table, loop.start, loop.seed


def _loop(row: dict) -> Loop:
    return Loop(**row | {"regrets": tuple(row["regrets"])})


def _short(row: dict) -> dict:
    return row | {"regrets": [round(r, 5) for r in row["regrets"]]}
