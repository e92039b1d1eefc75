"""What is foretold of a setting in figures, as often true as they say; none where nothing is known to rest them on."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Forecast
from advisor.propose.acquire import MATTERS, likely_range
from advisor.propose.calibration import came_true, eight_in_ten
from advisor.propose.known import beyond
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.task import Task

NOTICED = 0.005  # of the loss before training
SURE = 0.9  # chance of a gain from which the upper end may lie below the best so far


def foretell(setting: np.ndarray, chance: float, task: Task, rate_name: str) -> Forecast | None:
    """The forecast of float[3]; `chance` is that of a gain that matters, as the surrogate has it."""
    if not measured(task) or below_nought(task) or beyond(setting, task, rate_name):
        return None
    ended, best = task.obs.n_ended, task.obs.best()
    prediction = task.predict(setting[None])
    low, middle, high = map(float, likely_range(prediction, *eight_in_ten(ended))[0])
    chance = came_true(chance, ended, not task.library.blank)
    if not np.isfinite([low, middle, high, chance, best]).all():
        return None
    if task.objective not in LOSS_OBJECTIVES or never_below(task):  # no range in its unit is known
        return Forecast(chance)
    # below SURE more than one loss in ten is no better than the best, and the range must hold that
    high = max(high, best) if chance < SURE else high
    # the chance is corrected by what came true, the middle is not: where they disagree it is left out
    matters = MATTERS * float(prediction.weight @ prediction.gain)
    agree = middle >= best if chance < 0.5 else middle < best - matters
    return Forecast(chance, low, middle if agree else None, high, best if ended else None)


def measured(task: Task) -> bool:
    """Whether the objective was: a validation loss of this task, or its metric."""
    return task.obs.measured and (task.validated or task.objective not in LOSS_OBJECTIVES)


def never_below(task: Task) -> bool:
    """Whether no loss lay below the one before training by what can be noticed: then nothing tells how much there is to
    be gained.
    """
    return not (task.obs.loss < task.obs.base * (1 - NOTICED)).any()


def below_nought(task: Task) -> bool:
    """Whether losses fell where the surrogate knows of no floor."""
    return task.objective in LOSS_OBJECTIVES and task.obs.ended_best < 0
