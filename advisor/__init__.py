"""Judges fine-tuning jobs: curves and hyperparameters in, a diagnosis and the next setting out.

Pure: no files, no network, no clock, no printing. The doors to the world are `cli`, `optuna` and `callback`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.advice import advise
    from advisor.nouns import Advice, HyperParameters, Job, SearchSpace
    from advisor.records import RecordError

__all__ = ["Advice", "HyperParameters", "Job", "RecordError", "SearchSpace", "advise"]

_HOME = {
    "advise": "advisor.advice",
    "RecordError": "advisor.records",
    "Advice": "advisor.nouns",
    "HyperParameters": "advisor.nouns",
    "Job": "advisor.nouns",
    "SearchSpace": "advisor.nouns",
}


def __getattr__(name: str) -> Any:
    """Load on first use: numpy alone takes longer than `advisor --help` may."""
    if name not in _HOME:
        raise AttributeError(f"module 'advisor' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
