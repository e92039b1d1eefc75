"""Prefers settings next to the best one so far, once a few jobs have ended, and in ranges keeps to them later.

The library knows where valleys lie; what a task has of its own shows close by, and a neighbour of the best
job is the likelier one to beat it than its forecast says. Measured on tables left out: experiments/LOG.md.
"""

from __future__ import annotations

import numpy as np

from advisor.propose.observe import Observations

ENDED = 3  # jobs before which the library alone decides
NEAR = 1.65  # octaves in every knob: one step of the coarsest usual grid, a factor of three
LATE = 6  # jobs after which a range is searched about the best alone
STEPS = (1.6, 2.0, 2.0)  # octaves of epochs, batch size and rate that it is searched
FACTOR = 4.0  # by which a neighbour's expected improvement counts for more


def nearness(logs: np.ndarray, obs: Observations) -> np.ndarray:
    """float[m]: FACTOR for settings `logs` float[m, 3] next to the best ended job's, 1 for all others."""
    if obs.n_ended < ENDED:
        return np.ones(len(logs))
    return np.where(np.abs(logs - _best(obs)).max(axis=1) <= NEAR, FACTOR, 1.0)


def settled(logs: np.ndarray, obs: Observations, ranges: list[bool]) -> np.ndarray:
    """bool[m]: settings `logs` float[m, 3] that a late job may take, by which of the three knobs are ranges.

    A range has always a corner of which little is known and much may be hoped: looking into each, no loop
    would end.
    """
    if obs.n_ended < LATE:
        return np.ones(len(logs), bool)
    away = np.abs(logs - _best(obs)) - np.where(ranges, STEPS, np.inf)
    return (away <= 1e-9).all(axis=1)


def _best(obs: Observations) -> np.ndarray:
    return obs.logs[obs.ends[0]]
