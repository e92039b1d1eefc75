"""Prefers settings that no firing rule speaks against: the rules know what the surrogate cannot see.

A rule's move stands for hundreds of jobs on which it was right (RULES.md); a surface of the library that fits
the few losses so far may still lead the other way. Measured on tables left out: experiments/LOG.md.
"""

from __future__ import annotations

import numpy as np

from advisor.nouns import Diagnosis, Job
from advisor.propose.grid import COLUMN, Grid
from advisor.propose.series import given, likely_setting

AGAINST = 0.03  # by which the worth of a setting counts for less that moves a knob against a rule


def agreement(grid: Grid, newest: Job | None, diagnosis: Diagnosis, reference: float) -> np.ndarray:
    """float[m]: AGAINST for settings that move a knob of the newest job against a rule that fired, 1 for all others.

    For epochs and a rate that no log tells stand those that the surrogate takes for them (`reference` is the usual
    rate); from a batch size that is not known nothing moves against a rule.
    """
    against = np.zeros(len(grid.settings), bool)
    if newest:
        knobs = likely_setting(newest, grid.rate_name, reference)
        knobs[1] = given(newest, grid.rate_name)[1]
        for column, direction in _asked(diagnosis).items():
            change = np.log(grid.settings[:, column] / knobs[column])
            against |= change < -1e-6 if direction == "up" else change > 1e-6
    return np.where(against, AGAINST, 1.0)


def _asked(diagnosis: Diagnosis) -> dict[int, str]:
    """The direction asked of each column to lower the loss, by measurement; one that is asked both ways is
    asked nothing.
    """
    moves = {
        (COLUMN[m.knob], m.direction)
        for f in diagnosis.fired
        for m in f.moves
        if m.aim == "loss" and m.knob in COLUMN
    }
    return {column: way for column, way in moves if len({w for c, w in moves if c == column}) == 1}
