"""A whole account into MLflow: every page, every status, all history. Incremental, and resumable at any moment.

A job whose run has ended in MLflow is recorded whole, since that is written last: it is not read again; any other is. So
a sync that was interrupted goes on by being started again, and there is no state of its own to lose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tracker.content import content
from tracker.endpoint import Item, walk
from tracker.errors import ProviderError
from tracker.jobs import LOST
from tracker.providers.base import TERMINAL
from tracker.raw import collect
from tracker.runs import reader
from tracker.scrub import scrub

if TYPE_CHECKING:
    from tracker.session import Session

#: MLflow's statuses of runs that have ended.
ENDED = ("FINISHED", "FAILED", "KILLED")

#: Jobs read at once: enough to hide the network's delay, few enough to hold in memory.
AT_ONCE = 16


@dataclass
class Summary:
    """What a sync did. Anything in ``unread`` makes it a failure; what is ``gone`` at the provider does not."""

    jobs: int = 0
    recorded: int = 0
    living: int = 0
    known: int = 0
    gone: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return the summary in words."""
        told = [
            f"{self.jobs} jobs at the provider: {self.recorded} recorded now, {self.known} were recorded before, "
            f"{self.living} still living (watch them, or sync again), {len(self.unread)} could not be read."
        ]
        if self.gone:
            told.append("The provider no longer has:")
            told += [f"  {job_id}: {', '.join(names)}" for job_id, names in self.gone.items()]
        if self.unread:
            told.append("Could not be read; run the same command again:")
            told += [f"  {job_id}: {why}" for job_id, why in self.unread.items()]
        return told


Progress = Callable[[Summary, int], Any]


async def sync(session: Session, progress: Progress | None = None) -> Summary:
    """Record every job of the account that is not recorded whole yet.

    Parameters
    ----------
    progress
        Called with the summary so far and the number of jobs dealt with.
    """
    summary = Summary()
    runs = reader(session.tracking_uri).runs(tag=("job.id", None))
    whole = {row.tags["job.id"] for row in runs if row.status in ENDED and row.tags.get("job.status") != LOST}
    jobs = await walk(session.endpoint.jobs)
    summary.jobs = len(jobs)
    # Oldest first: what is nearest to being deleted is saved first, and runs stand in MLflow in the jobs' order.
    todo = [job for job in reversed(jobs) if str(job["id"]) not in whole]
    summary.known = len(jobs) - len(todo)
    gate = asyncio.Semaphore(AT_ONCE)
    done = summary.known

    async def one(job: Item) -> None:
        nonlocal done
        async with gate:
            await _record(session, job, summary)
        done += 1
        if progress:
            progress(summary, done)

    async with asyncio.TaskGroup() as group:
        for job in todo:
            group.create_task(one(job))
    return summary


async def _record(session: Session, job: Item, summary: Summary) -> None:
    job_id = str(job["id"])
    while session.spool.full:
        await asyncio.sleep(0.2)
    try:
        raw = await collect(session.endpoint, job, session.known_files)
    except ProviderError as error:
        summary.unread[job_id] = str(error)
        return
    try:
        whole = content(raw, session.provider, session.settings.host)
    except Exception as error:  # one job's odd answers must not end the rescue of the others
        summary.unread[job_id] = f"its answers cannot be read ({type(error).__name__}: {scrub(error)})"
        return
    target = f"job:{session.settings.host}/{job_id}"
    await asyncio.to_thread(session.spool.put, target, [whole.opening(), *whole.things()])
    if raw.missing:
        summary.gone[job_id] = raw.missing
    if session.provider.status(job) in TERMINAL:
        summary.recorded += 1
    else:
        summary.living += 1
