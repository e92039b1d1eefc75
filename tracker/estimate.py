"""What a job will cost, told before it is made; and what speaks against its model."""

from __future__ import annotations

from tracker.errors import InputError
from tracker.jobs import JobRequest
from tracker.prices import lifetime, price
from tracker.providers.base import Provider
from tracker.upload import check

#: Epochs assumed where they are left to the provider: what "auto" was seen to choose as a rule.
AUTO_EPOCHS = 3


def estimate(provider: Provider, request: JobRequest) -> list[str]:
    """Return lines about cost and lifetime; empty where nothing is known.

    Raises
    ------
    InputError
        Where the model takes no jobs any more, or the file is wrong.
    """
    refusals, lines = lifetime(provider.name, request.model)
    if refusals:
        raise InputError(refusals)
    cost = estimated_cost(provider, request)
    if cost is not None:
        tokens, usd = cost
        row = price(provider.name, request.model)
        source = f"price: {row.price_source}" if row else ""
        lines.append(f"Estimate: {tokens:,} trained tokens, about ${usd:.2f} ({source}).")
    return lines


def estimated_cost(provider: Provider, request: JobRequest) -> tuple[int, float] | None:
    """Return trained tokens and US dollars, None where the price or the tokens are unknown."""
    row = price(provider.name, request.model)
    if row is None or row.train_usd is None:
        return None
    tokens = check([request.train])[0].tokens
    if tokens is None:
        return None
    epochs = request.hyperparameters.get("n_epochs")
    trained = int(tokens * (epochs if isinstance(epochs, (int, float)) else AUTO_EPOCHS))
    return trained, trained * row.train_usd / 1e6
