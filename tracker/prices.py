"""Prices and end dates of models: a dated data file with a source per row, which the user may override.

Rows of the user's file (``TRACKER_PRICES``, or ``prices.csv`` in the user's configuration folder) win.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from tracker.errors import InputError

SHIPPED = Path(__file__).with_name("prices.csv")

#: A shutdown this near is warned of: a tuned model that lives shorter hardly repays its training.
WARN_DAYS = 180


#: Of a prices file; the last may be missing, then the source is of price and dates alike. Dates are YYYY-MM-DD.
COLUMNS = (
    "provider", "model", "train_usd_per_million_tokens", "no_jobs_from", "shutdown", "as_of", "source", "price_source",
)  # fmt: skip


@dataclass(frozen=True)
class Price:
    """One row: what training costs and how long the model lives.

    ``train_usd`` is US dollars per million trained tokens, None where unknown; ``no_jobs`` the first day on which no
    job can be made, ``shutdown`` the first day on which the model, tuned or not, answers no more. ``source`` names
    where the dates are from, as of ``as_of``; ``price_source`` where the price is from.
    """

    provider: str
    model: str
    train_usd: float | None
    no_jobs: date | None
    shutdown: date | None
    as_of: date
    source: str
    price_source: str = ""


def user_file() -> Path:
    """Return where the user's own prices are looked for."""
    if os.environ.get("TRACKER_PRICES"):
        return Path(os.environ["TRACKER_PRICES"])
    from platformdirs import user_config_path

    return user_config_path("finetune-advisor") / "prices.csv"


def price(provider: str, model: str) -> Price | None:
    """Return the row of a model: the longest name that the model's begins with (dated snapshots included)."""
    base = model.split(":")[1] if model.startswith("ft:") and ":" in model[3:] else model
    rows = [
        row
        for row in _rows(user_file()) + _rows(SHIPPED)
        if row.provider == provider and _fits(base, row.model)
    ]
    return max(rows, key=lambda row: len(row.model), default=None)


def cost_usd(provider: str, model: str, tokens: float) -> float | None:
    """Return what training on so many tokens costs, None where no price is known."""
    row = price(provider, model)
    return None if row is None or row.train_usd is None else tokens * row.train_usd / 1e6


def lifetime(provider: str, model: str, today: date | None = None) -> tuple[list[str], list[str]]:
    """Return what speaks against a new job by date: reasons to refuse it, and warnings.

    Parameters
    ----------
    today
        The day to judge by; the present one unless given.
    """
    row = price(provider, model)
    today = today or date.today()
    if row is None:
        return [], []
    refusals, warnings = [], []
    for end, what, left in (
        (row.no_jobs, "takes no new jobs", "{} days are left to make one."),
        (row.shutdown, "is shut down, tuned models with it,", "a model tuned today lives {} days."),
    ):
        if end is None:
            continue
        told = f"{model} at {provider} {what} from {end} ({row.source}, as of {row.as_of})"
        if today >= end:
            refusals.append(told + ": choose another model.")
        elif (end - today).days <= WARN_DAYS:
            warnings.append(f"{told}: {left.format((end - today).days)}")
    return refusals, warnings


def _fits(model: str, row_model: str) -> bool:
    return row_model == "*" or model == row_model or model.startswith(row_model + "-")


@lru_cache(maxsize=8)
def _read(path: Path, stamp: float) -> tuple[Price, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = [(at, line) for at, line in enumerate(file, 1) if line.strip() and not line.startswith("#")]
    table = list(csv.DictReader(line for _, line in lines))
    prices, problems = [], []
    for (at, _), row in zip(lines[1:], table, strict=False):
        try:
            prices.append(_price(row))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"{path}, line {at}: {_wrong(error)}; columns are {', '.join(COLUMNS)}.")
    if problems:
        raise InputError(problems)
    return tuple(prices)


def _wrong(error: Exception) -> str:
    return f"the column {error} is missing" if isinstance(error, KeyError) else str(error)


def _rows(path: Path) -> tuple[Price, ...]:
    return _read(path, path.stat().st_mtime) if path.is_file() else ()


def _price(row: dict[str, str]) -> Price:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    usd = row.get("train_usd_per_million_tokens")
    return Price(
        row["provider"],
        row["model"],
        float(usd) if usd else None,
        day(row.get("no_jobs_from")),
        day(row.get("shutdown")),
        date.fromisoformat(row["as_of"]),
        row["source"],
        row.get("price_source") or row["source"],
    )
