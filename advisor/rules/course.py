"""Whether a job's curves have a course to judge: none where it blew up, swings or learned nothing beyond its noise."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.rules.ft102_too_few_evaluations import TooFewEvaluations
from advisor.rules.ft301_underfitting import Underfitting
from advisor.rules.ft401_oscillating import Oscillating
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.rule import TOO_FEW

BLEW_UP = "the loss blew up (FT402)"
NOISE = "the evaluations are too few for their noise (FT102)"
FLAT = "hardly anything was learned (FT301)"
ONE_TOO_FEW = "fewer than 3 finite losses on one of the curves"
SWINGS = "the validation loss swings, so that its last rise or fall is luck (FT401)"


def no_course(m: Measurements) -> str | None:
    """Why rises and falls of these curves say nothing; None where they do."""
    if Diverged().holds(m):
        return BLEW_UP
    if m.valid is not None and TooFewEvaluations().holds(m):
        return NOISE
    if Underfitting().holds(m):
        return FLAT
    return SWINGS if Oscillating().holds(m) else None


def no_course_of_validation(m: Measurements) -> str | None:
    """The same, for a rule that reads the validation curve."""
    return no_course(m) or (TOO_FEW if m.valid is None else None)


def no_course_of_both(m: Measurements) -> str | None:
    """The same, for a rule that reads training beside validation."""
    return no_course(m) or (ONE_TOO_FEW if m.valid is None or m.train is None else None)
