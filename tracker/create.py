"""Making a job exactly once: our own id goes with the request, and a doubtful answer is looked up, never repeated blindly."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from tracker.endpoint import Endpoint, Item, walk
from tracker.errors import Doubtful, ProviderError
from tracker.jobs import JOB_TAG
from tracker.points import seconds
from tracker.polite import wait_s

#: Seconds between looks after a doubtful answer: 15 in all, in which a job that was made shows in the list.
SETTLE_S = (0.5, 1.0, 2.0, 4.0, 8.0)

#: Requests that the provider certainly refused, or answered with a failure, and that settled as not carried out.
TRIES = 6

#: Answers of the service itself: it has ended its work on the request, so the list of jobs decides. After a gateway's
#: 502 or 504, or no answer at all, the request may still be under way.
ENDED = (500, 503)


async def create(endpoint: Endpoint, request: Item, key: str) -> Item:
    """Make a job and return it; where the answer is lost, find it under its key.

    Raises
    ------
    ProviderError
        The provider refuses it.
    Doubtful
        Nobody can say whether it was made. Look with :func:`find` before calling again with the same key.
    """
    before = {str(job["id"]) for job in (await endpoint.jobs()).items}
    for attempt in range(TRIES):
        try:
            return await endpoint.create(request)
        except ProviderError as error:
            if error.refused and not error.passing:
                raise
            found = None if error.refused else await _settle(endpoint, request, key, before, error)
            if found is not None:
                return found
            again = error.refused or error.status in ENDED
            if not again or attempt + 1 == TRIES:
                raise _doubt(error, key) from None
            await asyncio.sleep(wait_s(attempt, error.retry_after))
    raise AssertionError("unreachable: the last try returns or raises")


async def find(
    endpoint: Endpoint, key: str, request: Item, before: Collection[str] = (), since: float = 0.0
) -> Item | None:
    """Return the job that was made under a key.

    The list is asked for by metadata and searched by us as well, since some providers ignore the filter. Where a
    provider keeps no metadata, the one new job on the same files counts that carries none.

    Parameters
    ----------
    before
        Ids of jobs that are certainly others.
    since
        Seconds since 1970 before which it cannot have been made.
    """
    for job in await walk(lambda after: endpoint.jobs(after, {JOB_TAG: key})):
        if _metadata(job).get(JOB_TAG) == key:
            return job
    bare = [
        job
        for job in (await endpoint.jobs()).items
        if not _metadata(job)
        and job.get("training_file") == request["training_file"]
        and str(job["id"]) not in before
        and (seconds(job.get("created_at")) or 0) >= since
    ]
    return bare[0] if len(bare) == 1 else None


async def _settle(
    endpoint: Endpoint, request: Item, key: str, before: Collection[str], error: ProviderError
) -> Item | None:
    """Look for the job until it would show; where the last look fails too, nobody knows."""
    unseen = True
    for wait in SETTLE_S:
        await asyncio.sleep(wait)
        try:
            found = await find(endpoint, key, request, before)
        except ProviderError:
            unseen = True
            continue
        unseen = False
        if found is not None:
            return found
    if unseen:
        raise _doubt(error, key)
    return None


def _metadata(job: Item) -> dict[str, Any]:
    return job.get("metadata") if isinstance(job.get("metadata"), dict) else {}


def _doubt(error: ProviderError, key: str) -> ProviderError:
    if error.refused:
        return ProviderError(
            f"The job was not made, after {TRIES} tries: {error}", error.status, error.retry_after
        )
    return Doubtful(
        f"Whether the job was made is unknown: {error} It does not show in the provider's list under our id {key}. "
        f"Run the same command again, with --key {key} added: it looks for the job first.",
        error.status,
    )
