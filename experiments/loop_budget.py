"""Budgets of a loop in jobs, trained tokens and money: what is spent, and what a further job would cost.

A job's cost is known only when it has ended; before that it is forecast from the jobs that have, by epochs, since
tokens and money are both proportional to passes over the same file.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.state import End

Record = dict[str, Any]
UNITS = {"trained_tokens": "trained tokens", "cost_usd": "US dollars"}


@dataclass(frozen=True)
class Limits:
    """Where the loop ends, and how many jobs run at a time."""

    jobs: int
    trained_tokens: float | None = None
    cost_usd: float | None = None
    parallel: int = 1
    ignore_stop: bool = False


def spent(records: Sequence[Record], limits: Limits, hyperparameters: Record | None = None) -> End | None:
    """The end that the budget sets, or None: at once, or before a further job with `hyperparameters`."""
    if len(records) >= limits.jobs:
        return End("jobs", f"the budget of {_count(limits.jobs, 'job')} is used")
    for what, unit in UNITS.items():
        limit = getattr(limits, what)
        if limit is None:
            continue
        used = total(records, what)
        if used >= limit:
            return End(what, f"{used:,.6g} of {limit:,.6g} {unit} are used")
        next_one = forecast(records, what, (hyperparameters or {}).get("n_epochs"))
        if used + next_one > limit:
            return End(
                what,
                f"{used:,.6g} of {limit:,.6g} {unit} are used and the next job would take {next_one:,.6g}",
            )
    return None


def left(records: Sequence[Record], limits: Limits) -> dict[str, float]:
    """What is left to spend, as the advisor is told it, so that it proposes what can be paid for."""
    out: dict[str, float] = {"jobs": max(limits.jobs - len(records), 0)}
    if limits.trained_tokens is not None:
        out["trained_tokens"] = max(limits.trained_tokens - total(records, "trained_tokens"), 0)
    if limits.cost_usd is not None:
        out["usd"] = max(limits.cost_usd - total(records, "cost_usd"), 0)
    return out


def total(records: Sequence[Record], what: str) -> float:
    """What all jobs have used; one that is still running counts with its forecast."""
    return sum(
        record[what]
        if record.get(what) is not None
        else forecast(records, what, (record.get("hyperparameters") or {}).get("n_epochs"))
        if record.get("status") not in ("failed", "cancelled")
        else 0.0
        for record in records
    )


def forecast(records: Sequence[Record], what: str, n_epochs: Any) -> float:
    """What a job of `n_epochs` would use; 0 while nothing is known, as for the first job on "auto"."""
    if not isinstance(n_epochs, int | float):
        return 0.0
    rates = [
        record[what] / record["hyperparameters"]["n_epochs"]
        for record in records
        if record.get("status") == "succeeded"
        and record.get(what)
        and isinstance((record.get("hyperparameters") or {}).get("n_epochs"), int | float)
    ]
    return statistics.median(rates) * n_epochs if rates else 0.0


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
