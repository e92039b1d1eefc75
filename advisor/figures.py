"""Losses as figures of as many digits as it takes to tell two of them apart."""

from __future__ import annotations

import math

FINE = 0.01  # of the gain so far: differences that are shown
MOST = 7  # significant digits: no loss is measured better


def loss_figure(value: float, fine: float | None = None, least: int = 3) -> str:
    """A loss with digits enough that a difference of `fine` shows: 1.722 where the whole gain is 0.18.

    Parameters
    ----------
    value
        Nats per token.
    fine
        The difference that matters, in the same unit; None, 0 or one that is not finite asks for nothing.
    least
        Significant digits that are shown in any case; zeros at the end are left out.
    """
    if not fine or not value or not math.isfinite(fine) or not math.isfinite(value):
        return f"{value:.{least}g}"
    decimals = math.ceil(-math.log10(abs(fine)))
    leading = math.floor(math.log10(abs(value))) + 1  # digits before the point
    return f"{value:.{min(max(least, leading + decimals), MOST)}g}"
