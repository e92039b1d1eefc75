"""Whether a job's curves have a course to judge: one that blew up or learned nothing has none, whatever its noise shows."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.rules.ft301_underfitting import Underfitting
from advisor.rules.ft402_diverged import blew_up

BLEW_UP = "the loss blew up (FT402)"
FLAT = "hardly anything was learned (FT301)"


def no_course(m: Measurements) -> str | None:
    """Why rises and falls of these curves say nothing; None where they do."""
    if blew_up(m):
        return BLEW_UP
    return FLAT if Underfitting().look(m).verdict == "fires" else None
