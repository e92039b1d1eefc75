"""The loss of each validation example, where the provider gives it, and what it says about the validation set."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.records import RecordError


@dataclass(frozen=True)
class ExampleLoss:
    """Mean loss of one validation example."""

    line: int  # in the validation file, from 1
    loss: float  # nats per token
    tokens: float  # how many tokens the loss is the mean of


def read_losses(text: str, name: str = "losses") -> tuple[ExampleLoss, ...]:
    """From JSONL of `{line, loss, tokens}`, or `trained_tokens` where prompts are not trained on.

    Raises RecordError naming every bad line, or where there is none at all.
    """
    if not text.strip():
        raise RecordError([f"{name} is empty; expected one object with line, loss and tokens a line"])
    found, problems = [], []
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            value = json.loads(row)
            weight = value.get("trained_tokens") or value.get("tokens") or 1
            item = ExampleLoss(int(value["line"]), float(value["loss"]), float(weight))
        except (ValueError, OverflowError, TypeError, KeyError, AttributeError):
            problems.append(f"{name} line {number}: expected an object with numbers line, loss and tokens")
            continue
        if math.isfinite(item.loss):
            found.append(item)
    if problems:
        raise RecordError(problems)
    return tuple(found)


def mean_and_error(losses: Sequence[ExampleLoss]) -> tuple[float, float]:
    """Token-weighted mean loss and its standard error over examples (ratio estimator, Cochran 1977, 2.11)."""
    loss = np.array([e.loss for e in losses])
    weight = np.array([e.tokens for e in losses])
    mean = float(np.average(loss, weights=weight))
    n = len(loss)
    spread = np.sum((weight * (loss - mean)) ** 2) * n / max(n - 1, 1)
    return mean, float(np.sqrt(spread) / weight.sum())


def unusually_high(losses: Sequence[ExampleLoss]) -> list[ExampleLoss]:
    """Examples whose loss stands out, the highest first: above the upper quartile by 1.5 times the box's height (Tukey)."""
    if len(losses) < 8:  # quartiles of fewer say nothing
        return []
    low, high = np.quantile([e.loss for e in losses], [0.25, 0.75])
    out = [e for e in losses if e.loss > high + 1.5 * (high - low)]
    return sorted(out, key=lambda e: -e.loss)
