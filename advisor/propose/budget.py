"""What is left to spend, and which settings it pays for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.nouns import Job

KINDS = ("jobs", "trained_tokens", "usd")


@dataclass(frozen=True)
class Affordable:
    settings: np.ndarray  # bool[m]
    reason: str | None = None  # why not one is


def affordable(
    settings: np.ndarray, jobs: Sequence[Job], budget: Any, context: dict[str, Any] | None
) -> Affordable:
    """Which settings what is left pays for.

    Parameters
    ----------
    budget : None, int or dict
        Jobs left, or what is left of each of `jobs`, `trained_tokens`, `usd`. What an epoch costs is taken from the
        jobs so far, or from `context["train_tokens"]`; where it is not known it does not limit.
    """
    left = _read(budget)
    everything = np.ones(len(settings), bool)
    if left.get("jobs", 1) < 1:
        return Affordable(everything, "the budget of jobs is used up")
    for kind, per_epoch in (("trained_tokens", _tokens(jobs, context)), ("usd", _usd(jobs))):
        if kind in left and left[kind] <= 0:
            return Affordable(everything, f"the budget of {kind} is used up")
        if kind in left and per_epoch:
            everything &= settings[:, 0] * per_epoch <= left[kind]
    if not everything.any():
        shown = ", ".join(f"{v:g} {k}" for k, v in left.items())
        return Affordable(np.ones(len(settings), bool), f"what is left ({shown}) does not pay for one epoch")
    return Affordable(everything)


def _read(budget: Any) -> dict[str, float]:
    if budget is None:
        return {}
    amounts = {"jobs": budget} if not isinstance(budget, dict) else budget
    amounts = {k: v for k, v in amounts.items() if v is not None}
    if set(amounts) <= set(KINDS) and all(map(_is_amount, amounts.values())):
        return {k: float(v) for k, v in amounts.items()}
    raise ValueError(
        f"budget is {budget!r}; expected a number of jobs, or an object with numbers for some of {', '.join(KINDS)}"
    )


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _tokens(jobs: Sequence[Job], context: dict[str, Any] | None) -> float | None:
    seen = [
        j.trained_tokens / j.hyperparameters.n_epochs
        for j in jobs
        if j.trained_tokens and j.hyperparameters.n_epochs
    ]
    return float(np.median(seen)) if seen else (context or {}).get("train_tokens")


def _usd(jobs: Sequence[Job]) -> float | None:
    seen = [
        j.cost_usd / j.hyperparameters.n_epochs for j in jobs if j.cost_usd and j.hyperparameters.n_epochs
    ]
    return float(np.median(seen)) if seen else None
