"""Following jobs while they run: their events into the spool, their status into their tags. One task per job.

Nothing here waits for MLflow. A full spool stops the reading, and the provider keeps what was not read.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterable

from tracker.content import content, params, parent_points, tags
from tracker.endpoint import PAGE, Endpoint, Item, identity
from tracker.errors import Missing, ProviderError
from tracker.jobs import LOST, TrackedJob
from tracker.pace import Crowd, Pace
from tracker.points import in_order, seconds
from tracker.polite import wait_s
from tracker.providers.base import RUN_STATUS, Provider, resolved
from tracker.providers.compatible import MISSING_ROUTES
from tracker.raw import collect
from tracker.scrub import scrub
from tracker.spool import Spool
from tracker.watched import Watch

log = logging.getLogger(__name__)

#: Seconds between looks at the status of a job whose events show that it trains.
STATUS_S = 10.0

Update = Callable[[TrackedJob], object]


class Follower:
    """Follows jobs of one account.

    Parameters
    ----------
    host
        Names the account in the spool's targets and in tags.
    """

    def __init__(self, endpoint: Endpoint, provider: Provider, spool: Spool, host: str):
        self._endpoint, self._provider, self._spool, self._host = endpoint, provider, spool, host
        self._crowd = Crowd(endpoint.limit, provider.poll_s)
        self._told: set[str] = set()

    def target(self, job: TrackedJob) -> str:
        """Return the name under which a job's things wait in the spool."""
        return f"run:{job.run_id}" if job.run_id else f"job:{self._host}/{job.id}"

    async def follow(self, jobs: Iterable[TrackedJob], on_update: Update | None = None) -> None:
        """Follow jobs until each has ended; cancelling the task leaves the jobs alone."""
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(self.follow_one(job, on_update))

    async def follow_one(self, job: TrackedJob, on_update: Update | None = None) -> None:
        """Follow one job to its end."""
        watch = Watch(job, self.target(job), Pace(self._crowd))
        failures = 0
        self._crowd.jobs += 1
        # Many jobs begun in one breath would be looked at in one breath for ever after.
        await asyncio.sleep(random.uniform(0, min(self._crowd.fair_s, 10.0)) if self._crowd.jobs > 10 else 0)
        try:
            while True:
                try:
                    changed = await self._look(watch)
                    failures = 0
                except ProviderError as error:
                    if error.status == 401 or (error.status == 403 and await self._account_refused()):
                        raise
                    if not error.passing:
                        self._lose(watch, str(error))
                        break
                    log.warning("Job %s: %s Looking again.", job.id, error)
                    await asyncio.sleep(wait_s(failures, error.retry_after))
                    failures += 1
                    continue
                except sqlite3.Error:  # the spool's, not the job's
                    raise
                except Exception as error:  # one job's odd answers must not end the following of the others
                    log.exception("Job %s", job.id)
                    self._lose(watch, f"Its answers cannot be read ({type(error).__name__}: {scrub(error)}).")
                    break
                if changed and on_update:
                    on_update(job)
                if job.done:
                    break
                await asyncio.sleep(watch.pace.wait_s(time.monotonic(), job.status == "running"))
        finally:
            self._crowd.jobs -= 1
        if job.status == LOST and on_update:
            on_update(job)

    async def _account_refused(self) -> bool:
        """Whether a refusal is about the key: then the list of jobs is refused as well."""
        try:
            await self._endpoint.jobs()
        except ProviderError as error:
            return error.status == 403
        return False

    def _lose(self, watch: Watch, why: str) -> None:
        """One job that cannot be followed any more must not end the following of the others; its run says why."""
        job = watch.job
        job.status, job.error = LOST, why
        log.warning("Job %s is followed no longer: %s", job.id, why)
        # Ended at its last sign of life: a replay gives the same, and its run does not run for ever.
        story = {"params": {}, "tags": {"job.status": LOST, "job.error": why}, "points": []}
        self._spool.put(
            watch.target, [("record", story), ("status", [RUN_STATUS[LOST], watch.last_ms or None])]
        )

    async def _look(self, watch: Watch) -> bool:
        """Look at a job once; True where something changed."""
        while self._spool.full:
            await asyncio.sleep(1.0)
        events = await self._new_events(watch)
        stamps = [at for event in events if (at := seconds(event.get("created_at")))]
        watch.pace.looked(time.monotonic(), len(events), stamps)
        for event in events:
            if str(event.get("level")).startswith("warn"):
                log.warning("Job %s: %s", watch.job.id, scrub(event.get("message")))
        points = watch.fresh_points(events)
        if points:
            # What an earlier watcher wrote stays as it is; later looks know what they have written themselves.
            kind = "points" if watch.begun else "fill"
            self._spool.put(
                watch.target, [(kind, points[at : at + 1000]) for at in range(0, len(points), 1000)]
            )
        watch.begun = True
        changed = bool(points)
        if self._status_due(watch, events):
            changed |= await self._look_at_status(watch)
        return changed

    async def _new_events(self, watch: Watch) -> list[Item]:
        """Return the events not seen before, oldest first: back from the newest to known ground."""
        found: dict[str, Item] = {}
        cursor: str | None = None
        while not watch.events_missing:
            try:
                page = await self._endpoint.events(watch.job.id, cursor)
            except Missing:
                watch.refusals += 1
                if watch.events_missing:
                    self._tell_missing("events")
                break
            watch.refusals = 0
            unseen = {
                identity(e): e
                for e in page.items
                if identity(e) not in watch.seen and identity(e) not in found
            }
            found |= unseen
            known_ground = len(unseen) < len(page.items) and bool(watch.seen)
            if not unseen or known_ground or page.after is None:
                break
            cursor = page.after
        fresh = in_order(found.values())
        watch.seen |= dict.fromkeys(identity(event) for event in fresh)
        for old in list(watch.seen)[: max(0, len(watch.seen) - 4 * PAGE)]:
            del watch.seen[old]
        return fresh

    def _status_due(self, watch: Watch, events: list[Item]) -> bool:
        job = watch.job
        if not watch.served or watch.events_missing or job.status != "running":
            return True
        told = any(event.get("type") != "metrics" for event in events)
        ended = job.total_steps is not None and (job.step or 0) >= job.total_steps
        return told or ended or time.monotonic() - watch.status_at > max(STATUS_S, 5 * self._crowd.fair_s)

    async def _look_at_status(self, watch: Watch) -> bool:
        served = await self._endpoint.job(watch.job.id)
        watch.status_at = time.monotonic()
        watch.last_ms = watch.last_ms or int((seconds(served.get("created_at")) or 0) * 1000)
        take_note(watch.job, served, self._provider)
        if watch.job.done:
            await self._finish(watch, served)
            return True
        state = (watch.job.status, tuple(params(served, self._provider).items()))
        if state == watch.served:
            return False
        watch.served = state
        self._spool.put(watch.target, self._state_of(watch.job, served))
        return True

    def _state_of(self, job: TrackedJob, served: Item) -> list[tuple[str, object]]:
        found = tags(served, self._provider, self._host)
        if job.total_steps:
            found["job.total_steps"] = str(job.total_steps)
        status = RUN_STATUS.get(job.status, "RUNNING")
        record = {"params": params(served, self._provider), "tags": found, "points": []}
        return [("record", record), ("status", [status, None])]

    async def _finish(self, watch: Watch, served: Item) -> None:
        """Write the whole story once more from the beginning: what was missed on the way is filled in."""
        raw = await collect(self._endpoint, served)
        for route in set(raw.missing) & set(MISSING_ROUTES):
            self._tell_missing(route)
        whole = content(raw, self._provider, self._host)
        for point in whole.points:
            watch.job.see(point.key, point.step, point.value) if point.key.endswith("loss") else None
            if point.key == "cost_usd":
                watch.job.cost_usd = point.value
        self._spool.put(watch.target, whole.things())
        if watch.job.parent and watch.job.number and whole.end_ms:
            self._spool.put(f"run:{watch.job.parent}", [("fill", parent_points(whole, watch.job.number))])

    def _tell_missing(self, route: str) -> None:
        if route not in self._told:
            self._told.add(route)
            log.warning("%s has no %s route: %s.", self._provider.title, route, MISSING_ROUTES[route])


def take_note(job: TrackedJob, served: Item, provider: Provider) -> None:
    """Bring a tracked job up to what the provider serves."""
    job.id = str(served["id"])
    job.status = provider.status(served)
    job.model = str(served.get("model") or job.model)
    job.hyperparameters |= {k: v for k, v in provider.hyperparameters(served).items() if resolved(v)}
    job.fine_tuned_model = served.get("fine_tuned_model") or job.fine_tuned_model
    job.trained_tokens = served.get("trained_tokens") or job.trained_tokens
    job.error = tags(served, provider).get("job.error")
