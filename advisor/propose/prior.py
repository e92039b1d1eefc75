"""What earlier tuning teaches: the library shipped with the package. The one place here that reads a file.

Made by `python -m experiments.benchmark.fit_prior`. Learning rates are stated relative to the provider's
default.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from advisor.propose.surfaces import Library, Surface, flat_library

NUMBERS = ("n_train", "gain", "weight")
PACKED = (*NUMBERS, "constant", "epochs", "batch", "rate", "way_axis", "train_axis", "end", "way", "train")


def library(prior: Any) -> Library:
    """None: the shipped one; False: none; a `Library` stands for itself."""
    if isinstance(prior, Library):
        return prior
    if prior is False:
        return flat_library()
    if prior is None or prior is True:
        return shipped()
    raise TypeError(f"prior is {prior!r}; expected None (the shipped prior), False (none) or a Library")


@cache
def shipped() -> Library:
    data = files("advisor.propose").joinpath("prior.npz").read_bytes()
    return unpack(np.load(io.BytesIO(data), allow_pickle=False))


def pack(lib: Library) -> dict[str, np.ndarray]:
    """Arrays by name, for `numpy.savez_compressed`; half precision is far finer than the noise of a run."""
    out: dict[str, np.ndarray] = {"names": np.array([s.name for s in lib.surfaces])}
    for i, s in enumerate(lib.surfaces):
        parts = (
            s.n_train,
            s.gain,
            s.weight,
            s.constant,
            *s.axes,
            s.way_axis,
            s.train_axis,
            s.end,
            s.way,
            s.train,
        )
        for key, value in zip(PACKED, parts, strict=True):
            small = key in ("end", "way", "train")
            out[f"{i}.{key}"] = np.asarray(value, dtype=np.float16 if small else np.float64)
    return out


def unpack(arrays: Any) -> Library:
    surfaces = []
    for i, name in enumerate(arrays["names"]):
        part = {k: np.asarray(arrays[f"{i}.{k}"], dtype=float) for k in PACKED}
        surfaces.append(
            Surface(
                str(name),
                *(float(part[k]) for k in NUMBERS),
                bool(part["constant"]),
                (part["epochs"], part["batch"], part["rate"]),
                *(part[k] for k in PACKED[7:]),
            )
        )
    return Library(tuple(surfaces))
