"""What is known of every setting's loss: a mixture of the library's surfaces, each bent to the observations.

A member is a surface shifted by some octaves of learning rate and of epochs; with each floor (the best loss
that the task allows) it is one guess at the task. A guess weighs as much as it explains the observations;
what it leaves unexplained a Gaussian process carries over to neighbouring settings. The process is the same
for all guesses, so one factorisation serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from advisor.propose.beliefs import FLOORS, LATTICE, Beliefs
from advisor.propose.observe import END, Observations
from advisor.propose.process import kernel, matern, variance
from advisor.propose.scale import SOFT, WORST, to_scale, to_share, train_scale
from advisor.propose.surfaces import Library
from advisor.propose.thin import thinned

# stand for several ten thousand, of which the weightiest so many would carry a twentieth to a half of the weight
GUESSES = 250
LUCK = 0.005  # of the gain so far: how far above the lowest loss seen the floor may lie
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()


@dataclass(frozen=True)
class Guesses:
    """The posterior: guesses with weights, and the process that bends them."""

    member: np.ndarray  # int[p], index of surface x shift
    weight: np.ndarray  # float[p], sums to 1
    floor: np.ndarray  # float[p], loss
    gain: np.ndarray  # float[p], base - floor
    spread: np.ndarray  # float[p], how much wider a guess is than the process alone: by its misfit
    pull: np.ndarray  # float[n, p], the process's coefficients at the observations
    inverse: (
        np.ndarray
    )  # float[n, n], of the observations' covariance: many settings are asked for, by products alone
    obs: Observations
    library: Library
    beliefs: Beliefs

    def fewer(self, count: int) -> Guesses:
        """`count` that stand for all: for a first look at many settings."""
        kept, weight = thinned(self.weight, count)
        part = {k: getattr(self, k)[kept] for k in ("member", "floor", "gain", "spread")}
        return replace(self, weight=weight, pull=self.pull[:, kept], **part)

    def predict(self, logs: np.ndarray) -> Prediction:
        """The posterior at settings `logs` float[m, 3]."""
        which, back = np.unique(self.member, return_inverse=True)
        mean = member_ends(self.library, which, logs)[back]
        left = variance(logs, self.beliefs)
        if len(self.obs):
            cross = kernel(logs, self.obs.logs, self.beliefs)
            mean = mean + (cross @ self.pull).T
            left = left - np.einsum("mn,mn->m", cross @ self.inverse, cross)
        sd = np.sqrt(np.maximum(left, 1e-6) * self.spread[:, None] ** 2 + self.beliefs.own**2)
        return Prediction(mean, sd, self.weight, self.floor, self.gain)


@dataclass(frozen=True)
class Prediction:
    """Scaled final losses of m settings: `mean` and `sd` float[p, m] per guess."""

    mean: np.ndarray
    sd: np.ndarray
    weight: np.ndarray
    floor: np.ndarray
    gain: np.ndarray

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Losses float[p, q, m] at the nodes of a quadrature, and the weights float[p, q] of them.

        None above the cap on losses that were observed: of what lies beyond it nothing is known.
        """
        share = to_share(self.mean[:, None, :] + NODES[:, None] * self.sd[:, None, :])
        loss = self.floor[:, None, None] + self.gain[:, None, None] * np.clip(share, 0.0, WORST)
        return loss, self.weight[:, None] * NODE_WEIGHTS


def guess(
    valid: Observations,
    train: Observations,
    library: Library,
    n_train: float | None,
    beliefs: Beliefs,
    shift_prior: np.ndarray | None = None,
) -> Guesses:
    """Weigh every member and floor by the observations and keep few that stand for all."""
    log_prior = member_prior(library, n_train, beliefs)
    if shift_prior is not None:
        log_prior = log_prior + np.tile(shift_prior, len(library.surfaces))
    log_prior = log_prior + _training_evidence(train, library, beliefs)
    if not len(valid):
        return _unseen(log_prior, valid, library, beliefs)
    seen = member_observations(library, valid)
    covariance = kernel(valid.logs, valid.logs, beliefs)
    floor, gain, prior = _floors(valid, library, beliefs)
    share = np.minimum((valid.loss - floor[:, None]) / gain[:, None], WORST)  # as the surfaces are capped
    scaled = to_scale(share)
    counted = beliefs.stretch[min(len(np.unique(valid.job)), len(beliefs.stretch)) - 1]
    middle = len(floor) // 2
    for _ in range(2):  # errors depend on the floor: once with a guess at it, once with its posterior median
        noise = _noise(valid, share[middle], gain[middle], beliefs)
        inverse = _inverse(covariance + np.diag(noise**2))
        of_scaled, of_seen = inverse @ scaled.T, inverse @ seen.T
        misfit = (scaled * of_scaled.T).sum(1)[:, None] - 2 * scaled @ of_seen + (seen * of_seen.T).sum(1)
        stretch = np.log((np.maximum(share, 0) + SOFT) * gain[:, None]).sum(1)  # Jacobian of the scale
        log_weight = beliefs.trust * (_evidence(misfit, len(valid), beliefs) - counted * stretch[:, None])
        log_weight = log_weight + log_prior + prior
        weight = np.exp(log_weight - log_weight.max())
        middle = int(np.searchsorted(np.cumsum(weight.sum(1)), 0.5 * weight.sum()))
    kept, weight = thinned(weight.T.ravel(), GUESSES)  # floors of a member lie side by side
    m, f = np.divmod(kept, len(floor))
    return Guesses(
        m,
        weight,
        floor[f],
        gain[f],
        _spread(misfit[f, m], len(valid), beliefs),
        of_scaled[:, f] - of_seen[:, m],
        inverse,
        valid,
        library,
        beliefs,
    )


def _inverse(covariance: np.ndarray) -> np.ndarray:
    return cho_solve(cho_factor(covariance, lower=True), np.eye(len(covariance)))


def _evidence(misfit: np.ndarray, n: int, b: Beliefs) -> np.ndarray:
    """Log likelihood of a misfit: Student's t, so that one guess that is far off is not all that counts."""
    if not b.tails:
        return -0.5 * misfit
    return -0.5 * (b.tails + n) * np.log1p(np.maximum(misfit, 0.0) / b.tails)


def _spread(misfit: np.ndarray, n: int, b: Beliefs) -> np.ndarray:
    """The t process's width: a guess that fits badly is less sure of what it has not seen."""
    if not b.tails:
        return np.ones(len(misfit))
    return np.sqrt((b.tails + np.maximum(misfit, 0.0)) / (b.tails + n))


def _unseen(log_prior: np.ndarray, obs: Observations, library: Library, b: Beliefs) -> Guesses:
    """No observation: members by their prior alone, each with the prior's mean gain."""
    kept, share = thinned(np.exp(log_prior - log_prior.max()), GUESSES)
    gain = np.full(len(kept), b.gain * obs.base)
    pull = np.empty((0, len(kept)))
    ones = np.ones(len(kept))
    return Guesses(kept, share, obs.base - gain, gain, ones, pull, np.empty((0, 0)), obs, library, b)


def member_prior(library: Library, n_train: float | None, b: Beliefs) -> np.ndarray:
    """Log prior of every surface x shift."""
    shifts = LATTICE.pairs()
    rate = (1 - b.wide_share) / b.rate_shift * np.exp(-0.5 * (shifts[:, 2] / b.rate_shift) ** 2)
    rate += b.wide_share / b.wide_shift * np.exp(-0.5 * (shifts[:, 2] / b.wide_shift) ** 2)
    out = []
    for s in library.surfaces:
        larger = np.log2(n_train / s.n_train) if n_train and s.n_train else 0.0
        out.append(
            np.log(s.weight * rate) - 0.5 * ((shifts[:, 0] - b.epoch_per_size * larger) / b.epoch_shift) ** 2
        )
    return np.concatenate(out)


def member_ends(library: Library, which: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Scaled final losses float[len(which), m] of the members `which` (ascending) at settings `logs`."""
    surface, shift = np.divmod(which, LATTICE.size)
    parts = []
    for i in np.unique(surface):
        some, rows = LATTICE.part(shift[surface == i])
        parts.append(library.surfaces[i].at_end(logs, some)[rows])
    return np.concatenate(parts)


def member_observations(library: Library, obs: Observations) -> np.ndarray:
    """What every member would have shown at each observation: float[members, n]."""
    out = np.empty((len(library.surfaces) * LATTICE.size, len(obs)))
    end = obs.kind == END
    out[:, end] = np.concatenate([s.at_end(obs.logs[end], LATTICE) for s in library.surfaces])
    way, runs = _runs(obs)
    out[:, ~end] = np.concatenate([s.on_the_way(way[~end], runs[~end], LATTICE) for s in library.surfaces])
    return out


def _runs(obs: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Log2 of the epochs at which each point was seen, and the settings of the runs that it was seen in."""
    return obs.logs[:, 0], np.column_stack([obs.run, obs.logs[:, 1:]])


def _training_evidence(train: Observations, library: Library, b: Beliefs) -> np.ndarray:
    """How well each member explains the training losses: above all whether the gap to validation opens."""
    if not len(train):
        return np.zeros(len(library.surfaces) * LATTICE.size)
    way, runs = _runs(train)
    shown = np.concatenate([s.training(way, runs, LATTICE) for s in library.surfaces])
    off = train_scale(train.loss, train.base) - shown
    covariance = matern(train.logs, train.logs, b) * b.train_bump**2 + b.train_noise**2 * np.eye(len(train))
    return -0.5 * b.train_trust * (off * np.linalg.solve(covariance, off.T).T).sum(1)


def _floors(obs: Observations, library: Library, b: Beliefs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Floors that the lowest loss seen allows, the gains to them, and their log prior [floors, members].

    A surface comes with a gain of its own: tasks of which little can be learned overfit sooner.
    """
    lowest = obs.loss.min(initial=obs.base)
    floor = FLOORS * obs.base
    possible = floor <= lowest + LUCK * (obs.base - lowest)
    share = (1 - FLOORS)[:, None]
    theirs = np.array([s.gain for s in library.surfaces])
    likely = (1 - b.gain_loose) * _bell(share, theirs, b.gain_alike)
    likely = likely + b.gain_loose * _bell(share, b.gain, b.gain_spread)
    prior = np.log(likely * np.gradient(FLOORS)[:, None])[possible]
    return floor[possible], obs.base - floor[possible], np.repeat(prior, LATTICE.size, axis=1)


def _bell(x: np.ndarray, middle: np.ndarray | float, spread: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - middle) / spread) ** 2) / spread


def _noise(obs: Observations, share: np.ndarray, gain: float, b: Beliefs) -> np.ndarray:
    """Standard error of each observation on the scale: of another seed, and of a loss that swings from step to step."""
    swing = np.maximum(obs.swing / gain - b.swing_usual, 0.0)
    seed = np.hypot(b.seed_noise, swing) / (np.maximum(share, 0.0) + SOFT)
    way = np.where(obs.kind != END, b.way_noise, 0.0)
    batch = np.where(obs.whole, 0.0, b.batch_noise)
    return np.sqrt(seed**2 + b.floor_noise**2 + way**2 + batch**2)
