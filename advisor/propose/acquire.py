"""Which settings are worth a job: the loss that one is expected to take off the best so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.propose.calibration import Said
from advisor.propose.mixture import Prediction

MATTERS = 0.02  # of the gain: a smaller one is about what another seed changes


@dataclass(frozen=True)
class Worth:
    """Per setting, float[m]: what it is expected to bring, as shares of the attainable gain and as losses."""

    improvement: np.ndarray  # expected share of the gain by which it beats the best so far
    worsening: np.ndarray  # expected share of the gain by which it ends above the best so far
    chance: np.ndarray  # probability that it beats the best so far by what matters
    mean: np.ndarray  # expected loss
    missing: float  # expected share of the gain that the best so far misses
    possible: bool = True  # whether a gain that matters would leave a loss that there can be

    def said(self, row: int, n_ended: int, prior: bool) -> Said:
        """What is said of one setting, to be set against what came true."""
        chance, gain = float(self.chance[row]), float(self.improvement[row])
        return Said(chance, gain, self.missing, n_ended, prior, self.possible)


def worth(prediction: Prediction, best: float, least: float = -np.inf) -> Worth:
    """Judge every predicted setting against `best`, the lowest loss that a job ended with; `least` is the lowest that
    there can be.
    """
    loss, weight = prediction.nodes()
    gain = np.broadcast_to(prediction.gain[:, None], weight.shape).ravel()[:, None]
    loss, weight = loss.reshape(len(gain), -1), weight.ravel()
    below, share = best - loss, weight / gain[:, 0]
    return Worth(
        share @ np.maximum(below, 0.0),
        share @ np.maximum(-below, 0.0),
        weight @ (below > MATTERS * gain),
        weight @ loss,
        float(prediction.weight @ ((best - prediction.floor) / prediction.gain)),
        best - MATTERS * float(prediction.weight @ prediction.gain) > least,
    )


def likely_range(prediction: Prediction, low: float = 0.1, high: float = 0.9) -> np.ndarray:
    """float[m, 3]: losses at the levels `low`, one half and `high` of the forecast."""
    loss, weight = prediction.nodes()
    loss, weight = loss.reshape(weight.size, -1), weight.ravel()
    out = []
    for column in loss.T:
        order = np.argsort(column)
        out.append(np.interp([low, 0.5, high], np.cumsum(weight[order]), column[order]))
    return np.array(out).reshape(-1, 3)


def percent(chance: float) -> str:
    """A probability as people say it: a forecast is never quite certain."""
    if chance < 0.01:
        return "under 1%"
    return "over 99%" if chance > 0.99 else f"{chance:.0%}"
