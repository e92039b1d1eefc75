"""Of which settings the shipped tables and this task's jobs tell: beyond them there is no forecast."""

from __future__ import annotations

import numpy as np

from advisor.propose.task import Task
from advisor.space_record import COVERED

TWICE = 1.0  # octaves beyond what the tables cover or a job tried, as ranges are cut
SPAN = 6.5  # octaves of the rate, either way: what the shipped tables span about the provider's default


def beyond(setting: np.ndarray, task: Task, rate_name: str) -> dict[str, float]:
    """The knobs of float[3] that lie beyond all that is known, with their values."""
    logs, seen = task.logs(setting[None])[0], task.obs
    (least, most), (small, large) = (np.log2(COVERED[knob]) for knob in ("n_epochs", "batch_size"))
    # an absolute rate has no default that the tables could lie about
    rates = [*seen.logs[:, 2], *([0.0] if rate_name == "learning_rate_multiplier" else [])]
    known = {
        "n_epochs": (least - TWICE, max([most, *seen.run]) + TWICE),
        "batch_size": (min([small, *seen.logs[:, 1]]) - TWICE, max([large, *seen.logs[:, 1]]) + TWICE),
        rate_name: (min(rates, default=-np.inf) - SPAN, max(rates, default=np.inf) + SPAN),
    }
    told = zip(known.items(), logs, setting, strict=True)
    return {knob: float(value) for (knob, (low, high)), x, value in told if not low <= x <= high}
