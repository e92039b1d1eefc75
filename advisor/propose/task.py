"""All that the history tells about the task at hand, ready to be asked about any setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.beliefs import LATTICE, Beliefs
from advisor.propose.limits import (
    borne,
    doubt,
    overdone,
    overfitted_settings,
    shift_evidence,
    survival,
    unsafe,
)
from advisor.propose.mixture import Guesses, Prediction, guess
from advisor.propose.objective import LOSS_OBJECTIVES, metric_observations
from advisor.propose.observe import Observations, observe
from advisor.propose.peers import peers_of_newest, strangers
from advisor.propose.prior import library
from advisor.propose.rates import reference_by
from advisor.propose.series import base_loss, validation
from advisor.propose.surfaces import Library
from advisor.propose.warm import shifts_elsewhere

NO_PRIOR = Beliefs(  # the data must say it all
    length=(1.5, 3.0, 1.8),
    bump=0.9,
    tilt=(0.0, 0.0, 0.0),
    seed_noise=0.006,
    own=0.0,
    way_noise=0.12,
    trust=1.0,
    stretch=(0.5,),
    tails=0.0,
    gain=0.6,
    gain_spread=0.5,
    gain_loose=1.0,
)


@dataclass(frozen=True)
class Task:
    """The posterior, and what is needed to extend it."""

    guesses: Guesses
    train: Observations
    library: Library
    beliefs: Beliefs
    n_train: float | None
    shift_prior: np.ndarray
    reference: float  # learning rate at which the third column of `logs` is nought
    broken: np.ndarray  # float[k, 3], settings that blew up
    proven: float  # the hottest that came to a good end (`limits.heat`)
    overfitted: np.ndarray  # float[k, 3], settings that overfitted
    objective: str = "final"
    validated: bool = True  # False: training losses stand in, and no figure is one of validation

    @property
    def obs(self) -> Observations:
        return self.guesses.obs

    @property
    def least(self) -> float:
        """The lowest that the objective can be: losses do not fall below nought."""
        return 0.0 if self.objective in LOSS_OBJECTIVES else -np.inf

    def predict(self, settings: np.ndarray) -> Prediction:
        """The posterior at settings float[m, 3] in the provider's units."""
        return self.guesses.predict(self.logs(settings))

    def in_vain(self, settings: np.ndarray) -> np.ndarray:
        """bool[m]: settings that the jobs so far rule out, whatever the library says of them."""
        more = overdone(settings, self.overfitted) if self.objective == "final" else False
        return unsafe(settings, self.broken) | more

    def doubt(self, settings: np.ndarray) -> np.ndarray:
        """float[m]: how much of its forecast a setting is worth, by what blew up or overfitted; 1 for most."""
        survives = survival(settings, self.broken, self.proven)
        return survives * doubt(settings, self.overfitted) if self.objective == "final" else survives

    def logs(self, settings: np.ndarray) -> np.ndarray:
        return np.log2(settings / [1.0, 1.0, self.reference])

    def believing(self, setting: np.ndarray, loss: float) -> Task:
        """As if a job with this setting had ended with this loss."""
        obs = self.obs.believing(self.logs(setting[None])[0], loss)
        again = guess(obs, self.train, self.library, self.n_train, self.beliefs, self.shift_prior)
        return replace(self, guesses=again)


def understand(
    jobs: Sequence[Job],
    space: SearchSpace,
    *,
    objective: str = "final",
    prior: Any = None,
    context: dict[str, Any] | None = None,
    curves: bool = True,
    beliefs: Beliefs | None = None,
) -> Task:
    """Condition the library on the peers of the newest job; jobs elsewhere tell where valleys lie."""
    peers = peers_of_newest(jobs)
    reference = reference_by(space, peers)
    beliefs = beliefs or (NO_PRIOR if prior is False else Beliefs())
    lib = library(prior)
    if objective == "best_checkpoint":
        lib = lib.best_so_far()
    n_train = next((j.n_train_examples for j in reversed(peers) if j.n_train_examples), None)
    n_train = n_train or (context or {}).get("n_train_examples")
    base = base_loss(peers) or 1.0
    valid, train = observe(
        peers, space.rate_name, reference, base, curves=curves, best=objective == "best_checkpoint"
    )
    if objective not in LOSS_OBJECTIVES:  # whose scale is made up: a gain on it says nothing
        beliefs = replace(beliefs, gain_loose=1.0)
        valid = metric_observations(peers, objective, space.rate_name, reference)
    broken, proven = borne(peers, space.rate_name, reference, base)
    told = [
        shifts_elsewhere(strangers(jobs), space, lib, beliefs, reference),
        shift_evidence(broken, reference),
    ]
    shifts = sum((t for t in told if t is not None), np.zeros(LATTICE.size))
    guesses = guess(valid, train, lib, n_train, beliefs, shifts)
    overfitted = overfitted_settings(peers, space.rate_name, reference, base)
    validated = any(len(validation(j, stand_in=False)[1]) for j in peers)
    return Task(
        guesses,
        train,
        lib,
        beliefs,
        n_train,
        shifts,
        reference,
        broken,
        proven,
        overfitted,
        objective,
        validated,
    )
