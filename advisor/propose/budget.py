"""What is left to spend, and which settings it pays for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.nouns import Job
from advisor.propose.acquire import MATTERS, percent
from advisor.records import RecordError

HOPEFUL = 0.1  # chance of a gain below which a job that the budget has cut short is not worth it
KINDS = ("jobs", "trained_tokens", "usd")
FIELDS = {  # of a job's record, with what to do where no job has it
    "trained_tokens": ("trained_tokens", "give it with a job, or context.train_tokens"),
    "usd": ("cost_usd", "give it with a job, or context.train_usd, or limit trained_tokens"),
}


@dataclass(frozen=True)
class Affordable:
    settings: np.ndarray  # bool[m]
    reason: str | None = None  # why not one is
    jobs: float = np.inf  # left
    rates: tuple[tuple[float, float], ...] = ()  # what is left of a kind, and what an epoch takes of it
    limit: str | None = None  # how long a job it pays for, where the space has longer ones

    def too_little(self, chance: float, n_ended: int) -> str | None:
        """Why what is left is better kept: the jobs that it pays for are too short to beat what there is."""
        if self.limit is None or not n_ended or chance >= HOPEFUL:
            return None
        gain = f"more than {MATTERS:.0%} of the attainable gain"
        return f"{self.limit}, and the one to try first has a chance of {percent(chance)} to bring {gain}"

    def at_once(self, epochs: Sequence[float]) -> int:
        """How many jobs with so many epochs, the first ones, what is left pays for together."""
        sums = np.cumsum(np.array(epochs, dtype=float))
        paid = [int((sums * each <= left * (1 + 1e-9)).sum()) for left, each in self.rates]
        return int(min([len(sums), self.jobs, *paid]))


def affordable(
    settings: np.ndarray, jobs: Sequence[Job], budget: Any, context: dict[str, Any] | None
) -> Affordable:
    """Which settings what is left pays for.

    Parameters
    ----------
    budget : None, int or dict
        Jobs left, or what is left of each of `jobs`, `trained_tokens`, `usd`. What an epoch costs is taken
        from the jobs so far, or from `context["train_tokens"]` and `context["train_usd"]`. Before the first
        job has ended it may not be known and cannot limit, which a warning says.

    Raises
    ------
    RecordError
        Where jobs have ended and none tells what it took: such a budget would never end.
    """
    left = _read(budget)
    paid = np.ones(len(settings), bool)
    if left.get("jobs", 1) < 1:  # the best setting stands, for who goes on all the same
        return Affordable(paid, "the budget of jobs is used up")
    short, rates = [], []
    for kind, per_epoch in (
        ("trained_tokens", tokens_per_epoch(jobs, context)),
        ("usd", usd_per_epoch(jobs, context)),
    ):
        if kind not in left:
            continue
        if left[kind] == 0:
            return Affordable(np.zeros_like(paid), f"the budget of {kind} is used up")
        if per_epoch is None:
            _unknown(kind, jobs)
            continue
        rates.append((left[kind], per_epoch))
        paid &= settings[:, 0] * per_epoch <= left[kind]
        if not paid.any():
            short.append(f"{left[kind]:.6g} {kind}, {settings[:, 0].min() * per_epoch:.6g} needed")
    if short:
        return Affordable(paid, f"what is left does not pay for the shortest job: {'; '.join(short)}")
    longest = settings[paid, 0].max()
    told = f"what is left pays for jobs of at most {longest:g} epoch{'s' if longest != 1 else ''}"
    return Affordable(paid, None, left.get("jobs", np.inf), tuple(rates), None if paid.all() else told)


def _unknown(kind: str, jobs: Sequence[Job]) -> None:
    """Raise where the jobs that ended do not tell what they took; warn where none has ended, which may yet do so."""
    field, instead = FIELDS[kind]
    told = any(getattr(j, field) is not None for j in jobs)
    lacking = (
        f"no job says {'its n_epochs beside' if told else 'its'} {field}" if jobs else "there is no job yet"
    )
    untold = f"{lacking}, so what an epoch costs is not known; {instead}"
    if any(j.succeeded for j in jobs) and not told:
        raise RecordError([f"the budget of {kind} cannot be kept: {untold}"])
    warnings.warn(f"the budget of {kind} limits nothing: {untold}", stacklevel=3)


def _read(budget: Any) -> dict[str, float]:
    if budget is None:
        return {}
    amounts = {"jobs": budget} if not isinstance(budget, dict) else budget
    amounts = {k: v for k, v in amounts.items() if v is not None}
    known = set(amounts) <= set(KINDS) and all(map(_is_amount, amounts.values()))
    if known and not amounts.get("jobs", 0) % 1:
        return {k: float(v) for k, v in amounts.items()}
    raise ValueError(
        f"budget is {budget!r}; expected a whole number of jobs, or an object with numbers of at least 0 for some of "
        f"{', '.join(KINDS)}"
    )


def _is_amount(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    return number and value >= 0


def tokens_per_epoch(jobs: Sequence[Job], context: dict[str, Any] | None) -> float | None:
    """Tokens that an epoch trains on: as the jobs so far were billed, or as the data are known to have."""
    told = _an_epoch(jobs, "trained_tokens")
    return (context or {}).get("train_tokens") if told is None else told


def usd_per_epoch(jobs: Sequence[Job], context: dict[str, Any] | None) -> float | None:
    """What an epoch costs, by the jobs so far or as it is told."""
    told = _an_epoch(jobs, "cost_usd")
    return (context or {}).get("train_usd") if told is None else told


def _an_epoch(jobs: Sequence[Job], field: str) -> float | None:
    """The middle of what jobs took for an epoch; of one cut short it is not known how many it had."""
    seen = [
        getattr(j, field) / j.hyperparameters.n_epochs
        for j in jobs
        if j.succeeded and getattr(j, field) is not None and j.hyperparameters.n_epochs
    ]
    return float(np.median(seen)) if seen else None
