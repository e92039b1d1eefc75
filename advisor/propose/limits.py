"""What jobs that blew up tell: a learning rate from which on training breaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_ndtr

from advisor.nouns import Job
from advisor.propose.beliefs import LATTICE
from advisor.propose.series import blew_up, setting

BREAKS = 3.0  # log2 of the multiplier about which tasks of the library break: none did up to 6.4
SPREAD = 1.0  # octaves


def broken_settings(jobs: Sequence[Job], rate_name: str, base: float) -> np.ndarray:
    """float[k, 3]: settings of jobs that blew up."""
    known = [s for j in jobs if blew_up(j, base) and (s := setting(j, rate_name)) is not None]
    return np.array(known, dtype=float).reshape(-1, 3)


def unsafe(settings: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """bool[m]: settings as hot as one that broke: its rate or more, by the square root of the batch size."""
    heat = settings[:, 2] / np.sqrt(settings[:, 1])
    least = (broken[:, 2] / np.sqrt(broken[:, 1])).min(initial=np.inf)
    return heat >= least * (1 - 1e-6)


def shift_evidence(broken: np.ndarray, reference: float) -> np.ndarray | None:
    """Log weight of each shift of the lattice: a job that broke stands high on the library's scale."""
    if not len(broken):
        return None
    lowest = np.log2(broken[:, 2].min() / reference)
    return log_ndtr((lowest + LATTICE.pairs()[:, 2] - BREAKS) / SPREAD)
