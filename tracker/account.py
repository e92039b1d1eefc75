"""Following an account: whatever runs there now, and for a daemon whatever will."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracker.endpoint import Item
from tracker.follow import Update
from tracker.jobs import TrackedJob
from tracker.providers.base import TERMINAL

if TYPE_CHECKING:
    from tracker.session import Session

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
    async with asyncio.TaskGroup() as group:
        while True:
            for served in await living(session):
                if served["id"] not in known:
                    known.add(str(served["id"]))
                    job = await session.adopt(served)
                    found.append(job)
                    group.create_task(session.follower.follow_one(job, on_update))
            if not forever:
                return
            await asyncio.sleep(LOOK_S)


async def living(session: Session) -> list[Item]:
    """Return the account's jobs that have not ended, from the newest pages back."""
    jobs: dict[str, Item] = {}
    cursor: str | None = None
    dead = 0
    while dead < DEAD_PAGES:
        page = await session.endpoint.jobs(cursor)
        alive = {str(job["id"]): job for job in page.items if session.provider.status(job) not in TERMINAL}
        dead = 0 if alive else dead + 1
        if page.after is None or (alive and alive.keys() <= jobs.keys()):
            jobs |= alive
            break
        jobs |= alive
        cursor = page.after
    return list(jobs.values())
