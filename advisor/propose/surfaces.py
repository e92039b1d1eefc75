"""Surfaces of earlier tasks: the loss of every setting, and of every run on its way, between the points measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from advisor.propose.scale import SOFT, TOP

TRAIN_BOTTOM = float(np.log(SOFT * 0.75))  # extrapolation of a training loss ends at about zero


@dataclass(frozen=True)
class Surface:
    """One task's results on the scale of `scale.py`, over log2 of epochs, batch size, learning rate.

    Under a constant learning rate a run on its way is a shorter run, and `way` is [epochs, batch, rate] with a finer
    epoch axis. Under a decaying one it is not: `way` is [share of the run, epochs, batch, rate].
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

    def at_end(self, logs: np.ndarray) -> np.ndarray:
        """Scaled final loss at settings `logs` float[n, 3]."""
        if self.constant:
            return np.minimum(interpolate((self.way_axis, *self.axes[1:]), self.way, logs), TOP)
        return np.minimum(interpolate(self.axes, self.end, logs), TOP)

    def on_the_way(self, epochs: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Scaled loss of runs with settings `logs` after log2 `epochs` of them."""
        if self.constant:
            return self.at_end(np.column_stack([epochs, logs[:, 1:]]))
        points = np.column_stack([epochs - logs[:, 0], logs])
        return np.minimum(interpolate((self.way_axis, *self.axes), self.way, points), TOP)

    def training(self, epochs: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Scaled mean training loss of the epoch that ends at log2 `epochs`."""
        if self.constant:
            points = np.column_stack([np.clip(epochs, -0.5, 5.0), logs[:, 1:]])
            out = interpolate((self.train_axis, *self.axes[1:]), self.train, points)
        else:
            points = np.column_stack([epochs - logs[:, 0], logs])
            out = interpolate((self.train_axis, *self.axes), self.train, points)
        return np.clip(out, TRAIN_BOTTOM, TOP)

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


def interpolate(axes: tuple[np.ndarray, ...], values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Linear in each axis, beyond the ends too; an axis of one value is constant.

    Parameters
    ----------
    axes : one ascending float[k] per dimension of `values`
    points : float[n, d]

    Returns
    -------
    float[n]
    """
    low, share = [], []
    for axis, x in zip(axes, points.T, strict=True):
        if len(axis) == 1:
            low.append(np.zeros(len(x), int))
            share.append(None)
            continue
        i = np.clip(np.searchsorted(axis, x) - 1, 0, len(axis) - 2)
        low.append(i)
        share.append((x - axis[i]) / (axis[i + 1] - axis[i]))
    out = np.zeros(len(points))
    for corner in product(*[(0,) if s is None else (0, 1) for s in share]):
        weight = np.ones(len(points))
        for bit, s in zip(corner, share, strict=True):
            if s is not None:
                weight = weight * (s if bit else 1 - s)
        out += weight * values[tuple(i + bit for i, bit in zip(low, corner, strict=True))]
    return out
