"""Following an account: whatever runs there now, and for a daemon whatever will."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from tracker.endpoint import Item
from tracker.errors import ProviderError
from tracker.follow import Update
from tracker.jobs import TrackedJob
from tracker.points import seconds
from tracker.providers.base import TERMINAL

if TYPE_CHECKING:
    from tracker.session import Session

log = logging.getLogger(__name__)

#: Seconds between looks for new jobs.
LOOK_S = 10.0

#: Pages without a single living job after which older ones are taken to be ended as well.
DEAD_PAGES = 3


async def follow_account(
    session: Session, found: list[TrackedJob], on_update: Update | None = None, forever: bool = False
) -> None:
    """Follow every living job of the account until all have ended; ``forever`` goes on.

    Parameters
    ----------
    found
        Receives the jobs as they are found.
    """
    known: set[str] = set()
    begun = time.time()
    async with asyncio.TaskGroup() as group:
        while True:
            try:
                served_jobs = await living(session, begun)
            except ProviderError as error:
                if not (forever and error.passing):
                    raise
                log.warning("%s Looking again.", error)
                served_jobs = []
            for served in served_jobs:
                job_id = str(served["id"])
                if job_id in known:
                    continue
                try:
                    job = await session.adopt(served)
                except ProviderError as error:
                    if not forever:
                        raise
                    log.warning("Job %s: %s It is asked for again.", job_id, error)
                    continue
                known.add(job_id)
                found.append(job)
                group.create_task(session.follower.follow_one(job, on_update))
            if not forever:
                return
            await asyncio.sleep(LOOK_S)


async def living(session: Session, since: float) -> list[Item]:
    """Return the account's jobs that have not ended, from the newest pages back, and those made since.

    Parameters
    ----------
    since
        Seconds since 1970: a job made later counts even if it has ended, since it may have ended between two looks.
    """
    jobs: dict[str, Item] = {}
    cursor: str | None = None
    dead = 0
    while dead < DEAD_PAGES:
        page = await session.endpoint.jobs(cursor)
        wanted = {
            str(job["id"]): job
            for job in page.items
            if session.provider.status(job) not in TERMINAL or (seconds(job.get("created_at")) or 0) >= since
        }
        dead = 0 if wanted else dead + 1
        known = bool(wanted) and wanted.keys() <= jobs.keys()  # a provider that ignores the cursor
        jobs |= wanted
        if page.after is None or known:
            break
        cursor = page.after
    return list(jobs.values())
