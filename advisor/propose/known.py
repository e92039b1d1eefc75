"""Of which settings the shipped tables and this task's jobs tell: beyond them there is no forecast."""

from __future__ import annotations

import numpy as np

from advisor.propose.task import Task
from advisor.space_record import COVERED

TWICE = 1.0  # octaves beyond what the tables cover or a job tried, as ranges are cut
SPAN = 6.5  # octaves of the rate, either way: what the shipped tables span about the provider's default


def beyond(setting: np.ndarray, task: Task, rate_name: str) -> dict[str, float]:
    """The knobs of float[3] that lie beyond all that is known, with their values."""
    far = _outside(setting[None], task, rate_name)[0]
    return {knob: float(setting[i]) for i, knob in enumerate(_knobs(rate_name)) if far[i]}


def unknown(settings: np.ndarray, task: Task, rate_name: str) -> np.ndarray:
    """bool[m]: settings with a knob of which nothing is known."""
    return _outside(settings, task, rate_name).any(axis=1)


def _outside(settings: np.ndarray, task: Task, rate_name: str) -> np.ndarray:
    """bool[m, 3], by setting and knob."""
    seen = task.obs
    (least, most), (small, large) = (np.log2(COVERED[knob]) for knob in ("n_epochs", "batch_size"))
    # an absolute rate has no default that the tables could lie about
    rates = [*seen.logs[:, 2], *([0.0] if rate_name == "learning_rate_multiplier" else [])]
    low = [least - TWICE, min([small, *seen.logs[:, 1]]) - TWICE, min(rates, default=-np.inf) - SPAN]
    high = [
        max([most, *seen.run]) + TWICE,
        max([large, *seen.logs[:, 1]]) + TWICE,
        max(rates, default=np.inf) + SPAN,
    ]
    logs = task.logs(settings)
    return (logs < low) | (logs > high)


def _knobs(rate_name: str) -> tuple[str, str, str]:
    return "n_epochs", "batch_size", rate_name
