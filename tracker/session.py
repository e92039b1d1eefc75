"""One session with a provider and MLflow: submit, follow, cancel, and the loops that hold jobs together.

The methods are ordinary calls; requests run in an event loop of their own thread, writes to MLflow in another.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import cached_property
from typing import Any

from tracker.background import Answer, Background
from tracker.content import content
from tracker.endpoint import Endpoint
from tracker.errors import StoreAway
from tracker.follow import Follower, Update, take_note
from tracker.jobrecords import records
from tracker.jobs import JobRequest, TrackedJob
from tracker.providers import find, open_endpoint
from tracker.raw import RawJob
from tracker.runs import reader
from tracker.settings import settings
from tracker.spool import Spool
from tracker.store import spool_path
from tracker.tuning import Loop, end_of, find_loop, loop_of, make_loop, name_runs
from tracker.writer import Writer

log = logging.getLogger(__name__)

#: Seconds between questions whether to stop.
STOP_S = 0.2


class Session:
    """A provider's account on one side, an MLflow store on the other.

    Parameters
    ----------
    base_url, api_key, provider
        The endpoint; what is not given comes from the environment or ``.env``, and the provider from the address.
    tracking_uri
        The MLflow store; else ``MLFLOW_TRACKING_URI``, else SQLite in the nearest ``mlruns`` folder.

    Examples
    --------
    >>> with Session("http://127.0.0.1:8321/v1") as session:  # doctest: +SKIP
    ...     job = session.submit(JobRequest(train, valid, "embedded-tiny"))
    ...     session.follow([job])
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        provider: str | None = None,
        tracking_uri: str | None = None,
    ):
        self.settings = settings(base_url, api_key, provider, tracking_uri)
        self.provider = find(self.settings.provider)
        self.tracking_uri = self.settings.tracking_uri
        self.spool = Spool(spool_path(self.tracking_uri), self.tracking_uri)
        self._store_lock = threading.Lock()
        self._store: Any = None
        self.writer = Writer(self.spool, lambda: self.store)
        self._background = Background("provider")
        self._aside = max((number for number, *_ in self.spool.refusals()), default=0)

    @property
    def store(self) -> Any:
        """The MLflow store, opened when first needed."""
        with self._store_lock:
            if self._store is None:
                from tracker.mlflow_store import MlflowStore

                self._store = MlflowStore(self.tracking_uri)
            return self._store

    @cached_property
    def endpoint(self) -> Endpoint:
        """The provider's account."""
        return open_endpoint(self.settings)

    @cached_property
    def follower(self) -> Follower:
        """What follows jobs of this account; its looks share one rate."""
        return Follower(self.endpoint, self.provider, self.spool, self.settings.host)

    def submit(
        self, request: JobRequest, *, loop: Loop | None = None, job_key: str | None = None
    ) -> TrackedJob:
        """Make a job and its run, exactly once per ``job_key``.

        Asked again with a key that was used, it returns the job that was made then, whatever became of the answer.

        Raises
        ------
        InputError
            Files, settings or model are wrong: all problems together, before anything is sent.
        Doubtful
            Nobody can say whether the job was made; asking again with the same key is safe.
        """
        from tracker.submit import submit

        return self.wait(submit(self, request, loop, job_key))

    def watch(self, job_id: str) -> TrackedJob:
        """Return a job of the account by the provider's id, whoever made it; its run is found or made."""
        served = self.wait(self.endpoint.job(job_id))
        return self.wait(self.adopt(served))

    async def adopt(self, served: dict[str, Any]) -> TrackedJob:
        """Return a served job for following; its run opens as soon as MLflow is there."""
        from tracker.raw import describe_files

        raw = RawJob(served)
        await describe_files(self.endpoint, raw, self.known_files)
        job = TrackedJob(str(served["id"]), "", "")
        take_note(job, served, self.provider)
        job.status = "unknown"  # not seen by a follower yet: even an ended job is read once
        opening = content(raw, self.provider, self.settings.host).opening()
        self.spool.put(self.follower.target(job), [opening])
        return job

    def follow(
        self,
        jobs: Iterable[TrackedJob],
        on_update: Update | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[TrackedJob]:
        """Follow jobs until all have ended and MLflow has everything, or until ``stop()`` says so.

        The jobs themselves go on in either case, also on Ctrl-C.
        """
        listed = list(jobs)
        self.wait(self._follow([job for job in listed if not job.done], on_update, stop))
        self._written(listed)
        return listed

    def follow_account(self, on_update: Update | None = None, forever: bool = False) -> list[TrackedJob]:
        """Follow whatever the account runs; ``forever`` keeps on and follows jobs as they appear."""
        from tracker.account import follow_account

        found: list[TrackedJob] = []
        self.wait(follow_account(self, found, on_update, forever))
        self._written(found)
        return found

    def cancel(self, job: TrackedJob) -> TrackedJob:
        """Cancel a job at the provider; following it records the end."""
        take_note(job, self.wait(self.endpoint.cancel(job.id)), self.provider)
        if job.done:
            job.status = "cancelling"  # the follower has still to write its end
        return job

    def start_loop(self, name: str, experiment: str, spec: dict[str, Any], new: bool = False) -> Loop:
        """Return the loop of a name, made where it is missing or where a new one is wanted."""
        found = None if new else find_loop(name, experiment, self.tracking_uri)
        return found or make_loop(self.store, name, experiment, spec)

    def reload(self, loop: Loop) -> Loop:
        """Return a loop afresh from MLflow."""
        store = reader(self.tracking_uri)
        return loop_of(store, store.runs(run_ids=[loop.run_id])[0])

    def finish_loop(self, loop: Loop, summary: dict[str, Any], markdown: str) -> None:
        """End a loop's run, with its summary as tags and its story as the note."""
        tags = {f"loop.{key}": str(value) for key, value in summary.items()}
        self.set_tags(loop.run_id, {**tags, "mlflow.note.content": markdown})
        self.store.set_status(loop.run_id, "FINISHED", end_of(loop, self.tracking_uri))
        loop.finished = True

    def reopen_loop(self, loop: Loop) -> Loop:
        """Set a finished loop running again."""
        self.store.set_status(loop.run_id, "RUNNING")
        return self.reload(loop)

    def set_tags(self, run_id: str, tags: dict[str, Any]) -> None:
        """Set tags of a run; they are in MLflow when this returns."""
        self.store.set_tags(run_id, {key: str(value) for key, value in tags.items()})

    def records(self, run_id: str) -> list[dict[str, Any]]:
        """Return a run's job records; see :func:`tracker.records`."""
        return records(run_id=run_id, tracking_uri=self.tracking_uri)

    def wait(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Carry out a coroutine in the provider's thread. Ctrl-C cancels it here and nothing at the provider."""
        return self._background.wait(work)

    def set_aside(self) -> list[str]:
        """Return what MLflow has refused for good since this session began: target, kind and reason of each."""
        return [f"{target}: {reason}" for _, target, reason in self.spool.refusals(self._aside)]

    def _written(self, jobs: list[TrackedJob]) -> None:
        """Wait until MLflow has everything; who reads it next must not take half for the whole."""
        if not self.writer.flush():
            raise StoreAway(self._waiting())
        name_runs(jobs, self.tracking_uri)

    def _waiting(self) -> str:
        return (
            f"MLflow does not take everything now: {self.spool.waiting()} entries wait in {self.spool.path}; the next "
            "tracker command on this store carries them over."
        )

    def close(self, timeout: float = 60.0) -> bool:
        """Write what waits and end the threads; False where something waits on in the spool."""
        done = self.writer.close(timeout)
        if not done:
            log.warning("%s", self._waiting())
        if "endpoint" in self.__dict__:
            self.wait(self.endpoint.close())
        self._background.close()
        self.spool.close()
        return done

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def known_files(self) -> dict[str, Any]:
        """Descriptions of the account's data files read so far."""
        return {}

    async def _follow(
        self, jobs: list[TrackedJob], on_update: Update | None, stop: Callable[[], bool] | None
    ) -> None:
        task = asyncio.ensure_future(self.follower.follow(jobs, on_update))
        try:
            while not task.done():
                await asyncio.wait([task], timeout=STOP_S)
                if stop and stop():
                    return
            task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
