"""One job as the provider serves it, whole: the job, every event, every checkpoint, the result files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tracker.endpoint import Endpoint, Item, walk
from tracker.errors import Missing, ProviderError
from tracker.polite import TRIES, wait_s

#: A result file larger than this is no table of metrics; OpenAI's hold about 60 bytes per step.
MAX_RESULT_BYTES = 50_000_000


@dataclass
class RawJob:
    """A job as served.

    ``results`` holds the result files' bytes and ``files`` the descriptions of the data files, both by file id.
    ``missing`` names what the provider does not have (any more): ``events``, ``checkpoints``, or a file's id.
    """

    job: Item
    events: list[Item] = field(default_factory=list)
    checkpoints: list[Item] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Item] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


async def collect(endpoint: Endpoint, job: Item, known_files: dict[str, Item | None] | None = None) -> RawJob:
    """Read everything about a job.

    Parameters
    ----------
    known_files
        Descriptions of data files read earlier (None: gone), added to here: many jobs share their files.

    Raises
    ------
    ProviderError
        Where something that exists could not be read; what is not there is listed in ``missing`` instead.
    """
    raw = RawJob(job)
    job_id = str(job["id"])
    try:
        raw.events = await walk(lambda after: endpoint.events(job_id, after))
    except Missing:
        raw.missing.append("events")
    try:
        raw.checkpoints = await walk(lambda after: endpoint.checkpoints(job_id, after))
    except Missing:
        raw.missing.append("checkpoints")
    for file_id in job.get("result_files") or []:
        try:
            raw.results[file_id] = await read_file(endpoint, file_id)
        except Missing:
            raw.missing.append(file_id)
    await describe_files(endpoint, raw, {} if known_files is None else known_files)
    return raw


async def describe_files(endpoint: Endpoint, raw: RawJob, known: dict[str, Item | None]) -> None:
    """Add the descriptions of a job's data files, each read once. A file that we may not see tells no more than one gone."""
    for file_id in filter(None, (raw.job.get("training_file"), raw.job.get("validation_file"))):
        if file_id not in known:
            try:
                known[file_id] = await endpoint.file(file_id)
            except ProviderError as error:
                if error.passing or error.status == 401:
                    raise
                known[file_id] = None
        described = known[file_id]
        if described is None:
            raw.missing.append(file_id)
        else:
            raw.files[file_id] = described


async def read_file(endpoint: Endpoint, file_id: str, limit: int = MAX_RESULT_BYTES) -> bytes:
    """Read a small file whole, at most ``limit`` bytes of it; from its beginning again where the reading broke off."""
    for attempt in range(TRIES):
        try:
            return await _read_once(endpoint, file_id, limit)
        except ProviderError as error:
            if not error.passing or attempt + 1 == TRIES:
                raise
            await asyncio.sleep(wait_s(attempt, error.retry_after))
    raise AssertionError("unreachable: the last try returns or raises")


async def _read_once(endpoint: Endpoint, file_id: str, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in endpoint.content(file_id):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    return b"".join(parts)[:limit]
