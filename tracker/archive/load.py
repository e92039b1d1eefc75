"""Reads jobs back out of an archive, as the provider served them. No network, no MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tracker.archive.store import Archive, Entry
from tracker.raw import RawJob


def load(archive: Archive) -> Iterator[RawJob]:
    """Every archived job, in the order archived.

    Raises
    ------
    InputError
        Where an object is missing or has changed.
    """
    for entry in archive.of_kind("job"):
        yield load_job(archive, entry)


def load_job(archive: Archive, entry: Entry) -> RawJob:
    """One job as served, its result files with it."""
    raw = json.loads(archive.load(entry["raw"]).decode("utf-8", "surrogatepass"))
    results = {file_id: archive.load(digest) for file_id, digest in entry["results"].items()}
    return RawJob(results=results, **raw)
