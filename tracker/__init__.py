"""Every fine-tuning job, recorded in MLflow: providers on one side, MLflow on the other.

Nothing heavy is imported here; each name below is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.advice import write_advice
    from tracker.jobrecords import records
    from tracker.jobs import JobRequest, TrackedJob
    from tracker.readers import read
    from tracker.session import Session
    from tracker.store import store_uri
    from tracker.tuning import Loop, find_loop, loops
    from tracker.view import view_link

_HOME = {
    "JobRequest": "tracker.jobs",
    "Loop": "tracker.tuning",
    "Session": "tracker.session",
    "TrackedJob": "tracker.jobs",
    "find_loop": "tracker.tuning",
    "loops": "tracker.tuning",
    "read": "tracker.readers",
    "records": "tracker.jobrecords",
    "store_uri": "tracker.store",
    "view_link": "tracker.view",
    "write_advice": "tracker.advice",
}

__all__ = [
    "JobRequest",
    "Loop",
    "Session",
    "TrackedJob",
    "find_loop",
    "loops",
    "read",
    "records",
    "store_uri",
    "view_link",
    "write_advice",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'tracker' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)
