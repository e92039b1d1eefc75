"""What is being tuned for, as a number of which less is better."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job
from advisor.propose.observe import END, Observations
from advisor.propose.series import setting

LOSS_OBJECTIVES = ("final", "best_checkpoint")
LOSSES = ("loss", "error", "perplexity", "nll", "cer", "wer", "mae", "mse", "rmse")
ROOM = 0.3  # of the metrics' range: how far beyond the best and the worst seen the scale reaches


def sign(metric: str) -> int:
    """1 where less is better (losses, errors, by whole words of the name), -1 where more is (accuracies, scores)."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", metric).lower())
    return 1 if set(words) & set(LOSSES) else -1


def metric_observations(jobs: Sequence[Job], name: str, rate_name: str, reference: float) -> Observations:
    """The jobs' metric in the place of their final loss, moved and turned so that it looks like one.

    Only its differences count: the best seen lies a little above 0, the worst a little below the base.
    """
    seen = [
        (i, s / [1.0, 1.0, reference], sign(name) * j.metrics[name])
        for i, j in enumerate(jobs)
        if name in j.metrics and np.isfinite(j.metrics[name]) and (s := setting(j, rate_name)) is not None
    ]
    value = np.array([v for *_, v in seen])
    spread = max(float(np.ptp(value)), 0.05 * float(np.abs(value).max()), 1e-9) if len(seen) else 1.0
    loss = value - value.min(initial=np.inf) + ROOM * spread if len(seen) else value
    logs = np.log2(np.array([s for _, s, _ in seen], dtype=float).reshape(-1, 3))
    return Observations(
        logs,
        logs[:, 0],
        loss,
        np.full(len(seen), END),
        np.ones(len(seen), bool),
        np.array([i for i, *_ in seen], dtype=int),
        np.zeros(len(seen)),
        np.zeros(len(seen)),
        (1 + 2 * ROOM) * spread,
    )
