"""What a proposed job takes: steps, trained tokens and money, and how many times those of the best job so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from advisor.nouns import Cost, HyperParameters, Job, Proposal
from advisor.propose.budget import tokens_per_epoch, usd_per_epoch
from advisor.propose.peers import peers_of_newest
from advisor.records import is_number


def priced(
    made: Sequence[Proposal], jobs: Sequence[Job], best: Job | None, context: dict[str, Any] | None
) -> tuple[Proposal, ...]:
    """The proposals with what each takes, set against `best`; a setting that the provider chooses has no price."""
    known, peers = context or {}, peers_of_newest(jobs)
    n = next(
        (j.n_train_examples for j in reversed(peers) if j.n_train_examples), known.get("n_train_examples")
    )
    rates = tokens_per_epoch(peers, context), usd_per_epoch(peers, context)
    return tuple(replace(p, cost=_cost(p.hyperparameters, best, n, *rates)) for p in made)


def _cost(
    to: HyperParameters | None, best: Job | None, n: float | None, tokens: float | None, usd: float | None
) -> Cost | None:
    """Tokens and money go by the epochs, whatever the batch; steps by the epochs over the batch."""
    if to is None or not is_number(to.n_epochs):
        return None
    steps, passes = _steps(to, n), to.n_epochs * (n or 1)
    old = best.hyperparameters if best else HyperParameters()
    there = (best and best.n_train_examples) or n
    return Cost(
        steps=math.ceil(steps) if steps and n else None,
        trained_tokens=tokens and tokens * to.n_epochs,
        usd=usd and usd * to.n_epochs,
        beside=best.id if best else None,
        times_steps=_ratio(steps, _steps(old, there)),
        times_tokens=_ratio(passes, old.n_epochs * (there or 1) if is_number(old.n_epochs) else None),
    )


def _steps(setting: HyperParameters, n: float | None) -> float | None:
    """Optimiser steps, each of a batch; where the number of examples is not known, a number that goes by them."""
    if not is_number(setting.n_epochs) or not is_number(setting.batch_size):
        return None
    return setting.n_epochs * (math.ceil(n / setting.batch_size) if n else 1 / setting.batch_size)


def _ratio(new: float | None, old: float | None) -> float | None:
    return new / old if new and old else None
