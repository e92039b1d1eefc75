"""Tables of which less can be learned: as much is added to every loss as makes the attainable gain a given share of the base.

A pretrained model's loss on text is mostly what no tuning takes off; our small models start higher. Shapes and regrets stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.benchmark.tables import Table

CURVES = ("train", "valid", "full")


def raised(table: Table, gain: float) -> Table:
    """The table with an attainable gain of at most `gain` of the loss before tuning (0 to 1)."""
    if not 0 < gain <= 1:
        raise ValueError(
            f"a gain of {gain}; expected a share of the loss before tuning, above 0 and at most 1"
        )
    more = max(table.gain / gain - table.base, 0.0)
    rows = {key: _row(row, more) for key, row in table.rows.items()}
    meta = {**table.meta, "base_loss": table.base + more}
    return replace(table, meta=meta, rows=rows, digest=f"{table.digest} gain {gain}")


def _row(row: dict[str, Any], more: float) -> dict[str, Any]:
    curves = {c: [[p[0], _plus(p[1], more), *p[2:]] for p in row[c]] for c in CURVES}
    return row | curves | {"final": _plus(row["final"], more)}


def _plus(loss: float | None, more: float) -> float | None:
    return None if loss is None else loss + more
