"""Budgets of a loop in jobs, trained tokens and money: what is spent, and what a further job would cost.

A job's cost is known only when it has ended; before that it is forecast by epochs, since tokens and money are both
proportional to passes over the same file: from the jobs that have ended, and before the first from the file and the
provider's price.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.state import End

Record = dict[str, Any]
AUTO_EPOCHS = 3  # what OpenAI and onprem choose for a few hundred examples; counted until the provider has resolved "auto"
UNITS = {"trained_tokens": "trained tokens", "cost_usd": "US dollars"}
INSTEAD = {  # what to do where no job says what it took
    "trained_tokens": "limit jobs instead",
    "cost_usd": "limit trained_tokens instead, or give the model a price in the file that TRACKER_PRICES names",
}


@dataclass(frozen=True)
class Limits:
    """Where the loop ends, and how many jobs run at a time."""

    jobs: int
    trained_tokens: float | None = None
    cost_usd: float | None = None
    parallel: int = 1
    ignore_stop: bool = False
    per_epoch: Mapping[str, float] = field(default_factory=dict)  # of UNITS, as far as known before any job


def spent(records: Sequence[Record], limits: Limits, hyperparameters: Record | None = None) -> End | None:
    """The end that the budget sets, or None: at once, or before a further job with `hyperparameters`."""
    if len(records) >= limits.jobs:
        return End("jobs", f"the budget of {_count(limits.jobs, 'job')} is used")
    for what, unit in UNITS.items():
        limit = getattr(limits, what)
        if limit is None:
            continue
        if not reckoned(records, limits, what):
            told = f"the budget of {limit:,.6g} {unit} cannot be kept: no job says its {what}"
            return End(what, f"{told}; {INSTEAD[what]}")
        used = total(records, limits, what)
        if used >= limit:
            return End(what, f"{used:,.6g} of {limit:,.6g} {unit} are used")
        next_one = forecast(records, limits, what, hyperparameters) if hyperparameters else 0.0
        if used + next_one > limit:
            return End(
                what,
                f"{used:,.6g} of {limit:,.6g} {unit} are used and the next job would take {next_one:,.6g}",
            )
    return None


def left(records: Sequence[Record], limits: Limits) -> dict[str, float]:
    """What is left to spend, as the advisor is told it, so that it proposes what can be paid for."""
    out: dict[str, float] = {"jobs": max(limits.jobs - len(records), 0)}
    if limits.trained_tokens is not None and reckoned(records, limits, "trained_tokens"):
        out["trained_tokens"] = max(limits.trained_tokens - total(records, limits, "trained_tokens"), 0)
    if limits.cost_usd is not None and reckoned(records, limits, "cost_usd"):
        out["usd"] = max(limits.cost_usd - total(records, limits, "cost_usd"), 0)
    return out


def reckoned(records: Sequence[Record], limits: Limits, what: str) -> bool:
    """Whether what jobs take is known, or may yet be: a job that ended tells it, or no job has ended."""
    ended = [record for record in records if record.get("status") == "succeeded"]
    return not ended or what in limits.per_epoch or any(record.get(what) is not None for record in ended)


def total(records: Sequence[Record], limits: Limits, what: str) -> float:
    """What all jobs have used; one that has not ended counts with its forecast."""
    used = 0.0
    for record in records:
        if record.get(what) is not None:
            used += record[what]
        elif record.get("status") not in ("failed", "cancelled"):
            used += forecast(records, limits, what, record.get("hyperparameters") or {})
    return used


def forecast(records: Sequence[Record], limits: Limits, what: str, hyperparameters: Record) -> float:
    """What a job with these hyperparameters would use; 0 where nothing is known."""
    n_epochs = hyperparameters.get("n_epochs")
    if not isinstance(n_epochs, int | float):
        n_epochs = AUTO_EPOCHS
    rates = [
        record[what] / record["hyperparameters"]["n_epochs"]
        for record in records
        if record.get("status") == "succeeded"
        and record.get(what) is not None
        and isinstance((record.get("hyperparameters") or {}).get("n_epochs"), int | float)
    ]
    return (statistics.median(rates) if rates else limits.per_epoch.get(what, 0.0)) * n_epochs


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
