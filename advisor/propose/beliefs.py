"""How much the surrogate trusts what: its few constants, with their units.

Fitted on loops and forecasts (CRPS) over the benchmark's tables, each left out by family, and over copies of them
whose learning rates are named five times off (experiments/LOG.md). But for `stretch` and `length` none is sensitive: a
change by a third moves the mean number of jobs by less than its error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Beliefs:
    """Lengths in octaves (log2), amplitudes on the log scale of `scale.py`."""

    # how a task's surface departs from the library's: a smooth bump and a tilt per octave of each knob
    length: tuple[float, float, float] = (2.5, 7.0, 5.0)  # epochs, batch size, learning rate
    bump: float = 0.5
    tilt: tuple[float, float, float] = (0.1, 0.05, 0.07)
    # where the tilt is nought: 3 epochs, batch 8, rate x 0.5
    middle: tuple[float, float, float] = (1.6, 3.0, -1.0)
    # errors of observations
    seed_noise: float = 0.01  # share of the gain that another seed changes
    swing_usual: float = 0.02  # of the gain: how far single losses swing on the tables; only more is noise
    own: float = 0.15  # on the log scale: what a setting has of its own, that no neighbour tells
    floor_noise: float = 0.03  # on the log scale, everywhere
    way_noise: float = 0.2  # more at an epoch end on the way
    batch_noise: float = 0.15  # more where only mini-batches of the validation set were measured
    # how far a task's valley may lie from a table's
    rate_shift: float = 1.3  # octaves of learning rate, most tasks
    wide_shift: float = 2.2  # octaves, where the provider's scale differs
    wide_share: float = 0.2  # of all tasks
    epoch_shift: float = 0.8  # octaves of epochs
    epoch_per_size: float = 0.3  # octaves of epochs fewer per octave more of examples
    # the attainable gain, as a share of the loss before tuning
    gain: float = 0.7
    gain_spread: float = 0.4
    gain_alike: float = 0.1  # how far it differs between tasks whose surfaces are alike
    gain_loose: float = 0.2  # share of tasks whose gain says nothing of their surface
    # how far one fit is believed: 1 as it says itself
    trust: float = 0.8
    # how far the Jacobian of the scale counts after one job, two, and more: whole, it pulls the floor up to the losses
    # seen, which few jobs are too few for
    stretch: tuple[float, ...] = (0.4, 0.8, 1.0)
    tails: float = 6.0  # degrees of freedom of a Student's t; 0: a Gaussian
    train_trust: float = 0.25
    train_bump: float = 0.4
    train_noise: float = 0.2


@dataclass(frozen=True)
class Lattice:
    """The shifts in octaves at which each table of the library is tried."""

    rate: np.ndarray
    epochs: np.ndarray

    @property
    def size(self) -> int:
        return len(self.rate) * len(self.epochs)

    def part(self, which: np.ndarray) -> tuple[Lattice, np.ndarray]:
        """The smallest lattice that has the shifts `which` (places in this one), and their places in it."""
        e, r = np.divmod(which, len(self.rate))
        epochs, e = np.unique(e, return_inverse=True)
        rate, r = np.unique(r, return_inverse=True)
        return Lattice(self.rate[rate], self.epochs[epochs]), e * len(rate) + r

    def pairs(self) -> np.ndarray:
        """float[s, 3]: shifts to add to log2 of epochs, batch size and learning rate."""
        e, r = np.meshgrid(self.epochs, self.rate, indexing="ij")
        return np.stack([e.ravel(), np.zeros(e.size), r.ravel()], axis=1)


LATTICE = Lattice(rate=np.arange(-3.0, 3.01, 0.5), epochs=np.arange(-1.5, 1.51, 0.5))
# floors tried: the best loss that the task allows, as a share of the loss before tuning
FLOORS = np.concatenate(
    [
        [0.0, 0.002, 0.005, 0.01, 0.02, 0.04],
        np.arange(0.06, 0.6, 0.02),
        [0.6, 0.63, 0.66, 0.7, 0.75, 0.8, 0.84, 0.87, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99],
    ]
)
