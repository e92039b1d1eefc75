"""Rebuilds MLflow from an archive: the same reading of the same jobs that following or syncing them would have done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tracker.archive.load import load
from tracker.archive.store import Archive
from tracker.content import content
from tracker.errors import InputError
from tracker.importer.recorder import Recorder
from tracker.providers import find


def restore(
    folder: str | Path,
    tracking_uri: str | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> int:
    """Write every archived job into MLflow; what is there already stays as it is.

    Returns
    -------
    int
        The number of jobs.

    Raises
    ------
    InputError
        The folder is no archive, or is damaged.
    """
    archive = Archive.open(folder)
    account = archive.account
    if account is None:
        raise InputError(
            f"{folder} names no account: it is empty or damaged. Run: tracker archive verify {folder}"
        )
    provider, host = find(account["provider"]), account["host"]
    total = len(archive.of_kind("job"))
    with Recorder(tracking_uri) as recorder:
        for done, raw in enumerate(load(archive), 1):
            recorder.put(host, content(raw, provider, host))
            if on_progress:
                on_progress(done, total)
    return total
