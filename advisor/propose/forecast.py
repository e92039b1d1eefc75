"""What is foretold of a setting in figures, as often true as they say; none where nothing is known to rest them on."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Forecast
from advisor.propose.acquire import MATTERS, likely_range
from advisor.propose.calibration import Said, came_true, widths
from advisor.propose.known import beyond
from advisor.propose.limits import NOTICED
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.task import Task

SURE = 0.9  # chance of a gain from which the upper end of the range lies below the best so far


def foretell(setting: np.ndarray, said: Said, task: Task, rate_name: str) -> Forecast | None:
    """The forecast of float[3], of which the surrogate says `said`."""
    if not measured(task) or below_nought(task) or beyond(setting, task, rate_name):
        return None
    best, chance = task.obs.best(), came_true(said)
    prediction = task.predict(setting[None])
    low, middle, high = map(float, likely_range(prediction)[0])
    below, above = widths(said)
    low, high = _away(middle, low, below), middle + above * (high - middle)
    if not np.isfinite([low, middle, high, chance, best]).all():
        return None
    if task.objective not in LOSS_OBJECTIVES or never_below(task):  # no range in its unit is known
        return Forecast(chance)
    # chance and range are corrected each by itself; a chance of one in ten tells the range's lower end, one of nine its upper
    better = best - MATTERS * float(prediction.weight @ prediction.gain)
    low = min(low, better) if chance >= 1 - SURE else max(low, better)
    high = max(high, best) if chance < SURE else min(high, better)
    # and of the middle: where they disagree it is left out
    agree = max(low, best) <= middle <= high if chance < 0.5 else low <= middle < min(high, better)
    return Forecast(chance, low, middle if agree else None, high, best if task.obs.n_ended else None)


def _away(middle: float, end: float, times: float) -> float:
    """So many times as far below the middle, by ratio: no loss lies below nought."""
    return middle * (max(end, 0.0) / middle) ** times if middle > 0 else 0.0


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
