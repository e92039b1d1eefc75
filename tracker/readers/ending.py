"""Whether a log of some of its steps is a job that runs still: what can be known of that, and the words for it.

Knows nothing of formats: a reader says how its format marks an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.readers.values import finite

CURVES = ("train_loss", "full_valid_loss", "valid_loss")


def unfinished(record: Mapping[str, Any]) -> str | None:
    """ "300 of 600 steps" and what that is taken for; None where the record has all its steps or its own end."""
    total, last = finite(record.get("total_steps")), _last_step(record)
    if record.get("status") not in (None, "running") or not total or last is None or last >= total:
        return None
    taken = (
        "no sign of an end: taken as running"
        if record.get("status") == "running"
        else "does not tell whether the job runs still or stopped early: judged as one that has ended"
    )
    return f"has {last:.10g} of {total:.10g} steps and {taken}"


def _last_step(record: Mapping[str, Any]) -> float | None:
    steps = [finite(point[0]) for key in CURVES for point in record.get(key) or ()]
    return max((step for step in steps if step is not None), default=None)
