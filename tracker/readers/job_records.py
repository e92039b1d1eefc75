"""Reads job records themselves: `{"jobs": [...]}`, a list of them, or one, as JSON.

This is the form that the packages here speak in, so a file of it needs no reading but a look at its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.readers.source import NotThisFormat, Source
from tracker.readers.values import SERIES

NAME = 'job records as JSON ({"jobs": [...]})'
KNOBS = frozenset({"n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate"})


def read(source: Source) -> list[dict[str, Any]]:
    """The records of the file, as they stand."""
    content = source.json
    jobs = content.get("jobs", [content]) if isinstance(content, Mapping) else content
    if not isinstance(jobs, list) or not jobs or not all(_is_job(job) for job in jobs):
        raise NotThisFormat("has no jobs with hyperparameters or curves")
    return [dict(job) for job in jobs]


def _is_job(job: Any) -> bool:
    """Whether it tells what a record tells: a curve, or at least a status or a setting (a job that has just begun)."""
    if not isinstance(job, Mapping) or not isinstance(job.get("hyperparameters", {}), Mapping | None):
        return False
    series = [job[key] for key in SERIES if job.get(key) is not None]
    pairs = all(isinstance(s, list) and all(isinstance(p, list) and len(p) >= 2 for p in s) for s in series)
    told = series or isinstance(job.get("status"), str) or KNOBS & set(job.get("hyperparameters") or ())
    return pairs and bool(told)
