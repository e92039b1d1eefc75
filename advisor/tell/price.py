"""What a job takes, in words: times the best job so far, and in steps, tokens and money where these are known."""

from __future__ import annotations

from advisor.nouns import Cost

ALIKE = 0.05  # a ratio that differs from 1 by less is told as the same
CENT, WHOLE = 0.01, 100  # dollars: below the one nothing is told in figures, from the other on no cents


def price(cost: Cost | None, brief: bool = False) -> str:
    """What a proposed job takes, empty where nothing is known; `brief` leaves out what the first one tells."""
    if cost is None:
        return ""
    times = [(r, what) for r, what in ((cost.times_steps, "steps"), (cost.times_tokens, "tokens")) if r]
    told = " and ".join(f"{_round(r, 2)} x the {what}" for r, what in times)
    if brief:
        return told
    of = cost.beside or "the best job so far"
    beside = f"as much as {of}" if all(abs(r - 1) < ALIKE for r, _ in times) else f"{told} of {of}"
    return "; ".join(filter(None, (beside if times else "", _amounts(cost))))


def _amounts(cost: Cost) -> str:
    counts = ((cost.steps, "step"), (cost.trained_tokens, "token"))
    told = [f"{_round(n, 3)} {what}{'s' * (n != 1)}" for n, what in counts if n]
    if cost.usd and cost.usd >= CENT:
        told.append(f"${_money(cost.usd)}")
    little = ["less than a cent"] if cost.usd and cost.usd < CENT else []
    return ", ".join([*([f"about {', '.join(told)}"] if told else []), *little])


def _money(usd: float) -> str:
    """Cents where they count: a job of thousands is not known to the cent."""
    return f"{usd:.2f}" if usd < WHOLE else _round(usd, 3)


def _round(number: float, digits: int) -> str:
    rounded = float(f"{number:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"
