"""A Gaussian process over log epochs, log batch size and log learning rate: what is known of every setting's loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky

from advisor.propose.observe import Observations

LENGTH = np.array([1.7, 3.0, 1.8])  # log2 units: over which a loss changes; fitted on the benchmark's tables
NOISE_END = 0.01  # of the base loss: seed to seed at a job's end
NOISE_PREFIX = 0.02  # at an epoch end on the way, whose schedule may differ


@dataclass(frozen=True)
class Posterior:
    """Losses of all candidates, as a share of the base loss: mean float[m] and samples float[s, m]."""

    mean: np.ndarray
    samples: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        return self.samples.std(axis=0)


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Matern 5/2 with one length per knob."""
    d = np.sqrt(np.maximum((((a[:, None] - b[None]) / LENGTH) ** 2).sum(-1), 1e-18)) * np.sqrt(5)
    return (1 + d + d * d / 3) * np.exp(-d)


def posterior(obs: Observations, logs: np.ndarray, n: int, rng: np.random.Generator) -> Posterior:
    """Condition on the observations; `n` joint samples at the candidates `logs`."""
    y = obs.loss / obs.base
    mean, scale = float(np.mean(y)), max(float(np.std(y)), 0.1)
    noise = np.where(obs.prefix, NOISE_PREFIX, NOISE_END) / scale
    factor = cho_factor(kernel(obs.logs, obs.logs) + np.diag(noise**2))
    cross = kernel(logs, obs.logs)
    mu = cross @ cho_solve(factor, (y - mean) / scale)
    cov = kernel(logs, logs) - cross @ cho_solve(factor, cross.T)
    root = cholesky(cov + 1e-6 * np.eye(len(logs)), lower=True)
    draws = mu + (root @ rng.standard_normal((len(logs), n))).T
    return Posterior(mean + scale * mu, np.maximum(mean + scale * draws, 0.0))
