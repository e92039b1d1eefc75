"""Which settings are worth a job: the loss that one is expected to take off the best so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.propose.mixture import Prediction

MATTERS = 0.02  # of the gain: a smaller one is about what another seed changes


@dataclass(frozen=True)
class Worth:
    """Per setting, float[m]: what it is expected to bring, as shares of the attainable gain and as losses."""

    improvement: np.ndarray  # expected share of the gain by which it beats the best so far
    chance: np.ndarray  # probability that it beats the best so far by what matters
    mean: np.ndarray  # expected loss
    low: np.ndarray  # one in ten ends below
    high: np.ndarray  # one in ten ends above


def worth(prediction: Prediction, best: float) -> Worth:
    """Judge every predicted setting against `best`, the lowest loss that a job ended with."""
    loss, weight = prediction.nodes()
    gain = prediction.gain[:, None, None]
    better = np.maximum(best - loss, 0.0) / gain
    wins = loss < best - MATTERS * gain
    flat, w = loss.reshape(-1, loss.shape[-1]), weight.ravel()
    return Worth(
        np.einsum("pq,pqm->m", weight, better),
        np.einsum("pq,pqm->m", weight, wins),
        w @ flat,
        *_quantiles(flat, w, (0.1, 0.9)),
    )


def _quantiles(values: np.ndarray, weight: np.ndarray, at: tuple[float, ...]) -> list[np.ndarray]:
    """Weighted quantiles of each column."""
    order = np.argsort(values, axis=0)
    total = np.cumsum(weight[order], axis=0)
    rows = [np.argmax(total >= q * total[-1], axis=0) for q in at]
    return [values[order[r, np.arange(values.shape[1])], np.arange(values.shape[1])] for r in rows]
