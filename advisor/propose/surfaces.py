"""Surfaces of earlier tasks: the loss of every setting, and of every run on its way, between the points measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from advisor.propose.beliefs import Lattice
from advisor.propose.scale import SOFT, TOP

TRAIN_EPOCHS = (-0.5, 5.0)  # log2: beyond them a training loss is not extrapolated
TRAIN_BOTTOM = float(np.log(SOFT * 0.75))  # extrapolation of a training loss ends at about zero


@dataclass(frozen=True)
class Surface:
    """One task's results on the scale of `scale.py`, over log2 of epochs, batch size, learning rate.

    Under a constant learning rate a run on its way is a shorter run, and `way` is [epochs, batch, rate] with
    a finer epoch axis. Under a decaying one it is not: `way` is [share of the run, epochs, batch, rate].
    """

    name: str
    n_train: float  # examples
    gain: float  # what tuning attained, as a share of the loss before it
    weight: float  # how much it counts beside others: a fine grid says more of where a valley lies
    constant: bool
    axes: tuple[
        np.ndarray, ...
    ]  # log2 of the grid's epochs, batch sizes, learning rates (relative to the default)
    way_axis: np.ndarray  # log2 epochs (constant) or log2 share of the run
    train_axis: np.ndarray
    end: np.ndarray  # [epochs, batch, rate]
    way: np.ndarray
    train: np.ndarray  # training loss, as `way`, on its own scale

    def at_end(self, logs: np.ndarray, shifts: Lattice) -> np.ndarray:
        """Scaled final losses float[shifts, n] at settings `logs` float[n, 3], each moved by every shift."""
        if self.constant:
            return self._read(self.way, self.way_axis, logs[:, 0], logs, shifts)
        return np.minimum(read(self.end, self.axes, logs, shifts), TOP)

    def on_the_way(self, epochs: np.ndarray, logs: np.ndarray, shifts: Lattice) -> np.ndarray:
        """Scaled losses float[shifts, n] of runs with settings `logs` after log2 `epochs` of them."""
        return self._read(self.way, self.way_axis, epochs, logs, shifts)

    def training(self, epochs: np.ndarray, logs: np.ndarray, shifts: Lattice) -> np.ndarray:
        """Scaled mean training losses float[shifts, n] of the epochs that end at log2 `epochs`."""
        out = self._read(self.train, self.train_axis, epochs, logs, shifts, TRAIN_EPOCHS)
        return np.maximum(out, TRAIN_BOTTOM)

    def _read(
        self,
        values: np.ndarray,
        axis: np.ndarray,
        epochs: np.ndarray,
        logs: np.ndarray,
        shifts: Lattice,
        within: tuple[float, float] = (-np.inf, np.inf),
    ) -> np.ndarray:
        if self.constant:
            there = np.column_stack([epochs, logs[:, 1:]])
            return np.minimum(read(values, (axis, *self.axes[1:]), there, shifts, within=within), TOP)
        share = hats(axis, epochs - logs[:, 0])  # of the run: both shift alike
        return np.minimum(read(values, self.axes, logs, shifts, share), TOP)

    def best_so_far(self) -> Surface:
        """The surface of each run's best checkpoint in place of its last."""
        way = np.minimum.accumulate(self.way, axis=0)
        end = self.end if self.constant else np.minimum(self.end, way[-1])
        return replace(self, way=way, end=end)


@dataclass(frozen=True)
class Library:
    """The surfaces that a new task is compared with."""

    surfaces: tuple[Surface, ...]

    @property
    def blank(self) -> bool:
        """Whether it tells no setting from another."""
        return all(s.end.size == 1 for s in self.surfaces)

    def without(self, *names: str) -> Library:
        """For honest figures: what would be known had these tables never been seen."""
        return Library(tuple(s for s in self.surfaces if s.name not in names))

    def best_so_far(self) -> Library:
        return Library(tuple(s.best_so_far() for s in self.surfaces))


def flat_library() -> Library:
    """Nothing known: one surface that is the same everywhere."""
    axes = (np.zeros(1), np.zeros(1), np.zeros(1))
    level = np.full((1, 1, 1), np.log(0.3))
    nothing = Surface("nothing known", 0, 0.6, 1.0, True, axes, np.zeros(1), np.zeros(1), level, level, level)
    return Library((nothing,))


def read(
    values: np.ndarray,
    axes: tuple[np.ndarray, ...],
    logs: np.ndarray,
    shifts: Lattice,
    first: np.ndarray | None = None,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> np.ndarray:
    """Values at settings moved by every shift of epochs and rate, linear in each axis and beyond its ends.

    Interpolation is a product over the axes, and the shifts are a product of two: so each axis is applied by
    itself, which is ten times as fast as looking up every point of the lattice.

    Parameters
    ----------
    values : float[epochs, batch, rate], or with an axis more in front where `first` weighs it
    logs : float[n, 3]
    first : float[n, k], weights of that axis
    within : log2 epochs, to which moved settings are taken back

    Returns
    -------
    float[len(epoch shifts) * len(rate shifts), n], rates innermost
    """
    batch = hats(axes[1], logs[:, 1])
    if first is None:
        plane = np.tensordot(batch, values, (1, 1))
    else:
        both = (first[:, :, None] * batch[:, None]).reshape(len(logs), values.shape[0] * values.shape[2])
        ordered = np.moveaxis(values, 2, 1)
        plane = (both @ ordered.reshape(both.shape[1], -1)).reshape(len(logs), *ordered.shape[2:])
    epochs = hats(axes[0], np.clip(logs[:, :1] + shifts.epochs, *within))
    rate = hats(axes[2], logs[:, 2:] + shifts.rate)
    out = epochs @ plane @ np.swapaxes(rate, 1, 2)
    return out.reshape(len(logs), shifts.size).T


def hats(axis: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Weights float[*x.shape, len(axis)] of linear interpolation, beyond the ends too; an axis of one value
    is constant.
    """
    if len(axis) == 1:
        return np.ones((*x.shape, 1))
    low = np.clip(np.searchsorted(axis, x) - 1, 0, len(axis) - 2)[..., None]
    share = (x[..., None] - axis[low]) / (axis[low + 1] - axis[low])
    out = np.zeros((*x.shape, len(axis)))
    np.put_along_axis(out, low, 1 - share, -1)
    np.put_along_axis(out, low + 1, share, -1)
    return out
