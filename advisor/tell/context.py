"""Reads what is known before any job from JSON: sizes of the data, price of an epoch, model and provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.records import RecordError, is_number, show

SIZES = ("n_train_examples", "n_valid_examples", "train_tokens", "train_usd")
TEXTS = ("model", "provider")


def read_context(given: Any) -> dict[str, Any] | None:
    """What is known before any job; raises RecordError with every problem."""
    if given is not None and not isinstance(given, Mapping):
        raise RecordError([f"context is of type {type(given).__name__}; expected an object"])
    known = {k: v for k, v in (given or {}).items() if v is not None}
    wrong = [
        f"context.{k} is {show(known[k])}; expected a number of at least 0, or null"
        for k in SIZES
        if k in known and (not is_number(known[k]) or known[k] < 0)
    ]
    wrong += [
        f"context.{k} is {show(known[k])}; expected a text or null"
        for k in TEXTS
        if not isinstance(known.get(k, ""), str)
    ]
    if wrong:
        raise RecordError(wrong)
    return known or None
