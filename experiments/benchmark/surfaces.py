"""Turns a table into a surface of the advisor's library: smoothed, on the common scale, runs on their way included."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.interpolate import pchip_interpolate

from advisor.propose.scale import SOFT, WORST, to_scale, to_share, train_scale
from advisor.propose.surfaces import Library, Surface
from experiments.benchmark.tables import Key, Table

EPOCHS = np.array([0.125, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12])  # of a run under a constant rate
TRAIN_EPOCHS = np.array([1, 2, 3, 4, 5, 6, 8, 10, 12])
SHARES = np.array([1 / 12, 1 / 8, 1 / 5, 1 / 3, 0.5, 0.75, 1])  # of a run under a decaying rate
FINEST = 1.01  # octaves between the points of an axis; a coarser one is refined
FINE_COUNTS = 4.0  # times a table on a coarse grid: see experiments/LOG.md
SMOOTH = np.array([2.0, 3.5, 2.0])  # octaves: a final loss is one seed's, its neighbours know better


def surface(table: Table) -> Surface:
    """The table as the advisor's prior holds it."""
    axes = tuple(np.log2(np.array(a, dtype=float)) for a in table.axes)
    end, floor = _smoothed_end(table, axes)
    gain = table.base - floor
    constant = table.meta["schedule"] == "constant"

    def scaled(loss: np.ndarray) -> np.ndarray:
        return to_scale((np.minimum(loss, WORST * table.base) - floor) / gain)

    def scaled_train(loss: np.ndarray) -> np.ndarray:
        return train_scale(loss, table.base)

    make = _constant if constant else _decaying
    way_axis, way = make(table, lambda key: _validation(table, key), scaled, EPOCHS)
    train_axis, train = make(table, lambda key: _training(table, key), scaled_train, TRAIN_EPOCHS)
    way = _with_ends(way, way_axis, end, axes, constant)
    fine = all(np.diff(a).max(initial=0.0) <= FINEST for a in axes)
    raw = Surface(
        table.name,
        n_train=table.meta["n_train"],
        gain=gain / table.base,
        weight=FINE_COUNTS if fine else 1.0,
        constant=constant,
        axes=axes,
        way_axis=way_axis,
        train_axis=train_axis,
        end=end,
        way=way,
        train=train,
    )
    return raw if fine else _refined(raw)


def library(tables: list[Table]) -> Library:
    return Library(tuple(surface(t) for t in tables))


def _refined(s: Surface) -> Surface:
    """With the valleys of a coarse grid drawn through its points, which straight lines between them would cut off."""
    for knob, axis in enumerate(s.axes):
        if len(axis) < 2 or np.diff(axis).max() <= FINEST:
            continue
        fine = np.unique(np.concatenate([_between(a, b) for a, b in pairwise(axis)]))
        axes = tuple(fine if i == knob else a for i, a in enumerate(s.axes))
        end = pchip_interpolate(axis, s.end, fine, axis=knob)
        way, train = s.way, s.train
        if not (s.constant and knob == 0):  # under a constant rate the first axis of these is of its own
            place = knob if s.constant else knob + 1
            way = pchip_interpolate(axis, way, fine, axis=place)
            train = pchip_interpolate(axis, train, fine, axis=place)
        s = replace(s, axes=axes, end=end, way=way, train=train)
    return s


def _between(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, int(np.ceil((high - low) / FINEST)) + 1)


def _smoothed_end(table: Table, axes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, float]:
    """Scaled final losses, freed of seed noise by a Gaussian process, and the best loss that they imply."""
    loss = np.minimum(table.finals, WORST * table.base)
    lowest = loss.min()
    share = (loss - lowest) / (table.base - lowest)
    smooth = to_share(_smoothed(to_scale(share), 0.012 / (share + SOFT) + 0.03, axes))
    floor = lowest + smooth.min() * (table.base - lowest)
    return to_scale((smooth - smooth.min()) * (table.base - lowest) / (table.base - floor)), float(floor)


def _smoothed(values: np.ndarray, noise: np.ndarray, axes: tuple[np.ndarray, ...]) -> np.ndarray:
    x = np.stack([m.ravel() for m in np.meshgrid(*axes, indexing="ij")], axis=1)
    d = np.sqrt(5 * np.maximum((((x[:, None] - x[None]) / SMOOTH) ** 2).sum(-1), 1e-18))
    k = (1 + d + d * d / 3) * np.exp(-d)
    mean = values.mean()
    fitted = mean + k @ np.linalg.solve(k + np.diag(noise.ravel() ** 2), values.ravel() - mean)
    return fitted.reshape(values.shape)


def _validation(table: Table, key: Key) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and losses of a run: shares of the first epoch off the training loss, then the epoch ends."""
    row: dict[str, Any] = table.rows[key]
    step, loss = _series(row["train"])
    epochs, losses = [], []
    for share in (0.125, 0.25, 0.5):
        at = share * row["spe"]
        near = (step > 0.7 * at) & (step <= min(1.4 * at + 0.5, row["spe"]))
        if at >= 1.5 and near.any():
            epochs.append(share)
            losses.append(loss[near].mean())
    for point in row["full"]:
        epochs.append(point[0] / row["spe"])
        losses.append(point[1] if point[1] is not None else 10 * table.base)
    return np.array(epochs), np.array(losses)


def _training(table: Table, key: Key) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and the mean training loss of each."""
    row = table.rows[key]
    step, loss = _series(row["train"])
    epoch = np.ceil(step / row["spe"] - 1e-9)
    ends = np.unique(epoch)
    return ends, np.array([loss[epoch == e].mean() for e in ends])


def _series(points: list) -> tuple[np.ndarray, np.ndarray]:
    good = np.array([p[:2] for p in points if p[1] is not None], dtype=float).reshape(-1, 2)
    return good[:, 0], good[:, 1]


def _constant(table: Table, curve: Any, scaled: Any, epochs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[epochs, batch, rate]: the longest run tells the shorter ones."""
    axis = np.log2(epochs[epochs <= table.axes[0][-1]])
    out = np.empty((len(axis), len(table.axes[1]), len(table.axes[2])))
    for j, batch in enumerate(table.axes[1]):
        for k, rate in enumerate(table.axes[2]):
            seen, loss = curve((table.axes[0][-1], batch, rate))
            out[:, j, k] = _from_untrained(axis, np.log2(seen), scaled(loss))
    return axis, out


def _decaying(table: Table, curve: Any, scaled: Any, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[share of the run, epochs, batch, rate]: every run is its own."""
    axis = np.log2(SHARES)
    out = np.empty((len(axis), *table.finals.shape))
    for index in np.ndindex(table.finals.shape):
        key = tuple(a[i] for a, i in zip(table.axes, index, strict=True))
        seen, loss = curve(key)
        out[(slice(None), *index)] = _from_untrained(axis, np.log2(seen / key[0]), scaled(loss))
    return axis, out


def _from_untrained(axis: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolated; before the first point seen the loss comes down from the base (0 on the scale) in 4 octaves."""
    return np.interp(axis, np.insert(seen, 0, seen[0] - 4), np.insert(values, 0, 0.0))


def _with_ends(
    way: np.ndarray, way_axis: np.ndarray, end: np.ndarray, axes: tuple, constant: bool
) -> np.ndarray:
    """Put the smoothed ends in the place of the raw ones."""
    out = way.copy()
    if not constant:
        out[-1] = end
        return out
    for i, epochs in enumerate(axes[0]):
        at = int(np.argmin(np.abs(way_axis - epochs)))
        if abs(way_axis[at] - epochs) < 1e-6:
            out[at] = end[i]
    return out
