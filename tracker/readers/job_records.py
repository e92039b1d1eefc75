"""Reads job records themselves: `{"jobs": [...]}`, a list of them, or one, as JSON.

This is the form that the packages here speak in, so a file of it needs no reading but a look at its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.readers.source import NotThisFormat, Source
from tracker.readers.values import SERIES

NAME = 'job records as JSON ({"jobs": [...]})'
JOB_KEYS = frozenset({"id", "status", "hyperparameters", *SERIES})


def read(source: Source) -> list[dict[str, Any]]:
    """The records of the file, as they stand."""
    content = source.json
    jobs = content.get("jobs", [content]) if isinstance(content, Mapping) else content
    if not isinstance(jobs, list) or not jobs or not all(_is_job(job) for job in jobs):
        raise NotThisFormat("has no jobs with hyperparameters or curves")
    return [dict(job) for job in jobs]


def _is_job(job: Any) -> bool:
    """Whether it looks like a record: hyperparameters as an object, or a series as a list of pairs."""
    if not isinstance(job, Mapping) or not JOB_KEYS & set(job):
        return False
    if not isinstance(job.get("hyperparameters", {}), Mapping | None):
        return False
    series = [job[key] for key in SERIES if job.get(key) is not None]
    pairs = all(isinstance(s, list) and all(isinstance(p, list) and len(p) >= 2 for p in s) for s in series)
    return pairs and (bool(series) or isinstance(job.get("hyperparameters"), Mapping))
