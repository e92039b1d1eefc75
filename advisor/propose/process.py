"""The Gaussian process by which a task departs from a surface of the library: a smooth bump and a tilt per knob."""

from __future__ import annotations

import numpy as np

from advisor.propose.beliefs import Beliefs


def matern(a: np.ndarray, b: np.ndarray, beliefs: Beliefs) -> np.ndarray:
    """Matern 5/2 with one length per knob."""
    square = (((a[:, None] - b[None]) / np.array(beliefs.length)) ** 2).sum(-1)
    d = np.sqrt(5 * np.maximum(square, 1e-18))
    return (1 + d + d * d / 3) * np.exp(-d)


def kernel(a: np.ndarray, b: np.ndarray, beliefs: Beliefs) -> np.ndarray:
    """Covariance of a task's departure from a surface: a bump, and a tilt per knob."""
    tilt, middle = np.array(beliefs.tilt), np.array(beliefs.middle)
    return beliefs.bump**2 * matern(a, b, beliefs) + ((a - middle) * tilt) @ ((b - middle) * tilt).T


def variance(a: np.ndarray, beliefs: Beliefs) -> np.ndarray:
    return beliefs.bump**2 + (((a - np.array(beliefs.middle)) * np.array(beliefs.tilt)) ** 2).sum(1)
