"""Fills an archive from a provider's account: every job whole, every file as served. Begun again, it goes on.

A job is one manifest line, appended when all of it is on disk. What the provider no longer has, and what it refuses, is
noted in that line; what it refused is asked for again by the next run. What could not be read is told to the caller,
left out, and read by the next run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracker.archive.store import END, VERSION, Archive
from tracker.endpoint import Endpoint, Item, walk
from tracker.errors import InputError, Missing, ProviderError
from tracker.polite import TRIES, wait_s
from tracker.providers.base import TERMINAL, Provider
from tracker.raw import RawJob, collect

# Jobs read side by side. The account's own rate limits the requests; this only hides their latency.
AT_ONCE = 8
# Seconds after its end in which a job's last events may still appear; one archived sooner is read once more.
SETTLED_S = 600

Progress = Callable[[int, int], object]


@dataclass
class Outcome:
    """What a run of `create` did.

    Attributes
    ----------
    archived, unchanged
        Jobs written by this run, and jobs that were whole already.
    missing
        Ids of files (and `job: events`) that the provider does not have any more.
    refused
        Ids of data files that it does not give out to this key; the next run asks again.
    failed
        Ids of jobs that could not be read, with the reason.
    """

    archived: int = 0
    unchanged: int = 0
    missing: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


async def create(
    archive: Archive,
    endpoint: Endpoint,
    provider: Provider,
    host: str,
    *,
    with_data: bool = True,
    on_progress: Progress | None = None,
) -> Outcome:
    """Archive every job of an account.

    Parameters
    ----------
    host
        Names the account's address in the manifest; an archive holds one account.
    with_data
        Also keep the training and validation files.
    on_progress
        Is told how many jobs of how many are done.

    Raises
    ------
    InputError
        The archive belongs to another account, or another process is writing it.
    ProviderError
        The list of jobs could not be read, or the key is no longer taken (401): run again with another one.
    """
    archive.lock()
    try:
        _claim(archive, provider, host)
        return await _archive_all(archive, endpoint, provider, with_data, on_progress)
    finally:
        archive.unlock()


async def _archive_all(
    archive: Archive, endpoint: Endpoint, provider: Provider, with_data: bool, on_progress: Progress | None
) -> Outcome:
    jobs = await walk(endpoint.jobs)
    outcome, places, known = Outcome(), asyncio.Semaphore(AT_ONCE), {}
    files = _Files(archive, endpoint)

    async def one(job: Item) -> None:
        async with places:
            try:
                await _archive_job(
                    archive, endpoint, provider, job, known, files if with_data else None, outcome
                )
            except ProviderError as error:
                if error.status == 401:  # the same for every job that is left
                    raise
                outcome.failed[str(job["id"])] = str(error)
        if on_progress:
            on_progress(outcome.archived + outcome.unchanged + len(outcome.failed), len(jobs))

    try:
        async with asyncio.TaskGroup() as group:
            for job in reversed(jobs):  # oldest first: what is likeliest to go first is safe first
                group.create_task(one(job))
    except* ProviderError as errors:
        raise errors.exceptions[0] from None
    if not outcome.failed and not archive.ended:
        archive.add(END, "", jobs=len(archive.of_kind("job")))
    return outcome


def _claim(archive: Archive, provider: Provider, host: str) -> None:
    own = {"provider": provider.name, "host": host, "version": VERSION}
    have = archive.account
    if have is None:
        archive.add("account", "", **own)
    elif {key: have.get(key) for key in own} != own:
        raise InputError(
            f"{archive.folder} holds {have.get('provider')} jobs of {have.get('host')}, not {provider.name} jobs of "
            f"{host}; give each account a folder of its own."
        )


async def _archive_job(
    archive: Archive,
    endpoint: Endpoint,
    provider: Provider,
    job: Item,
    known: dict[str, Item | None],
    files: _Files | None,
    outcome: Outcome,
) -> None:
    have = archive.entries.get(("job", str(job["id"])))
    if have and _is_whole(archive, have, job, files is not None):
        outcome.unchanged += 1
        outcome.missing |= set(have["missing"])
        return
    raw = await collect(endpoint, job, known)
    results = {file_id: archive.keep(data) for file_id, data in raw.results.items()}
    data = {file_id: await files.keep(file_id) for file_id in raw.files} if files else {}
    refused = sorted(files.refused & data.keys()) if files else []
    gone = [file_id for file_id, digest in data.items() if digest is None and file_id not in refused]
    missing = [
        f"{job['id']}: {name}" if name in ("events", "checkpoints") else name
        for name in [*raw.missing, *gone]
    ]
    archive.add(
        "job",
        str(job["id"]),
        job=archive.keep(_json(job)),
        raw=archive.keep(_json(_without_bytes(raw))),
        results=results,
        data=data,
        with_data=files is not None,
        missing=missing,
        refused=refused,
        settled=_is_settled(job, provider, time.time()),
    )
    outcome.archived += 1
    outcome.missing |= set(missing)
    outcome.refused |= set(refused)


def _is_whole(archive: Archive, entry: dict[str, Any], job: Item, with_data: bool) -> bool:
    """Whether a job as listed now is archived already, with all that was asked for, and still on disk."""
    digests = [entry["job"], entry["raw"], *entry["results"].values(), *filter(None, entry["data"].values())]
    return (
        entry["settled"]
        and not entry.get("refused")
        and (entry["with_data"] or not with_data)
        and all(map(archive.has, digests))
        and json.loads(archive.load(entry["job"])) == job
    )


def _is_settled(job: Item, provider: Provider, now: float) -> bool:
    end = job.get("finished_at") or job.get("created_at") or 0
    return provider.status(job) in TERMINAL and now - float(end) > SETTLED_S


def _without_bytes(raw: RawJob) -> dict[str, Any]:
    return {
        "job": raw.job,
        "events": raw.events,
        "checkpoints": raw.checkpoints,
        "files": raw.files,
        "missing": raw.missing,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Files:
    """Data files, each fetched once however many jobs use it."""

    def __init__(self, archive: Archive, endpoint: Endpoint):
        self._archive, self._endpoint = archive, endpoint
        self.refused: set[str] = set()
        self._fetching: dict[str, asyncio.Future[str | None]] = {}

    async def keep(self, file_id: str) -> str | None:
        """The digest of a file's content; None where the provider has it no more or refuses it."""
        have = self._archive.entries.get(("file", file_id))
        if have and self._archive.has(have["content"]):
            return have["content"]
        if file_id not in self._fetching:
            self._fetching[file_id] = asyncio.ensure_future(self._fetch(file_id))
        return await self._fetching[file_id]

    async def _fetch(self, file_id: str) -> str | None:
        for attempt in range(TRIES):
            try:
                digest, size = await self._archive.keep_stream(self._endpoint.content(file_id))
            except Missing:
                return None
            except ProviderError as error:
                if error.status in (400, 403):  # some accounts may not download what they uploaded
                    self.refused.add(file_id)
                    return None
                if not error.passing or attempt + 1 == TRIES:
                    raise
                await asyncio.sleep(wait_s(attempt, error.retry_after))
            else:
                self._archive.add("file", file_id, content=digest, bytes=size)
                return digest
        raise AssertionError("unreachable: the last try returns or raises")
