"""The training workers: started at the first need, started again when they die, ended with the server.

It knows processes and which jobs they hold; what they compute is not its business.
"""

import asyncio
import fcntl
import logging
import secrets
import time

from onprem.store import Database, DataFolder
from onprem.store import jobs as job_rows
from onprem.training import checkpoint  # knows files alone: no torch
from onprem.workers import process

GRACE_SECONDS = 30.0  # from a claim until its worker has locked the job, at most
MOST_PATIENT = 60.0  # seconds until a worker that keeps dying without a job is started again, at most
RETRY_SECONDS = 2.0  # until a store that could not be written is tried again
STEP_PATIENCE = 120.0  # seconds for the step under way and its checkpoint at shutdown

log = logging.getLogger("onprem.server")


class TrainingPool:
    """A fixed number of training workers.

    Parameters
    ----------
    db, folder
        The store.
    size : int
        Workers, hence jobs that train at once.
    threads : int
        Torch threads of each.
    command : str, optional
        A launcher's command line; without one, jobs train in the workers themselves.
    """

    def __init__(
        self, db: Database, folder: DataFolder, size: int = 1, threads: int = 1, command: str | None = None
    ) -> None:
        self.db, self.folder, self.size, self.threads, self.command = db, folder, size, threads, command
        self.workers: dict[str, asyncio.subprocess.Process] = {}
        self.tasks: set[asyncio.Task] = set()
        # Free places of workers: each its own GPU, where there are some.
        self.slots: set[int] = set(range(size))
        self.starting = 0
        self.stillborn = 0  # workers in a row that died without a job, such as for want of a package
        self.stopping = False

    def recover(self) -> None:
        """Put jobs that a former server's workers held back into the queue.

        A server alone on its store calls this before any worker runs. Where front ends share it, jobs may be in
        other servers' hands: a job whose worker lives has its lock file locked.
        """
        for job in job_rows.held_by(self.db):
            if not self.db.shared:
                checkpoint.let_go(self.db, self.folder, job["id"])
            elif time.time() - job["started_at"] > GRACE_SECONDS and not self._locked(job["id"]):
                checkpoint.let_go(self.db, self.folder, job["id"], job["worker"])

    def _locked(self, job_id: str) -> bool:
        path = self.folder.job(job_id) / "lock"
        if not path.exists():
            return False
        with path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def poke(self) -> None:
        """See that workers run and look at the queue: when a training file arrives, or a job is queued."""
        while not self.stopping and len(self.workers) + self.starting < self.size:
            self.starting += 1
            self._spawn(self._run_worker())
        for worker in self.workers.values():
            if worker.returncode is None:
                worker.stdin.write(b"look\n")

    async def stop(self) -> None:
        """Let each worker finish its step and save, then end them."""
        self.stopping = True
        for worker in self.workers.values():
            if worker.returncode is None:
                worker.stdin.write(b"stop\n")
        await asyncio.gather(*(process.end(w, STEP_PATIENCE) for w in list(self.workers.values())))
        for task in list(self.tasks):
            task.cancel()

    def _spawn(self, coroutine) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run_worker(self) -> None:
        worker_id, slot = secrets.token_hex(8), min(self.slots)
        self.slots.remove(slot)
        try:
            try:
                worker = self.workers[worker_id] = await self._start(worker_id, slot)
            finally:
                self.starting -= 1
            await worker.wait()
            if not self.stopping:
                had_job = await self._note_death(worker_id, worker.returncode)
                self.stillborn = 0 if had_job else self.stillborn + 1
                # Meanwhile it holds the next one's place.
                await asyncio.sleep(min(2.0**self.stillborn - 1, MOST_PATIENT))
        finally:
            self.workers.pop(worker_id, None)
            self.slots.add(slot)
        if not self.stopping and self.db.one("select 1 from jobs where status = 'queued'"):
            self.poke()

    async def _start(self, worker_id: str, slot: int) -> asyncio.subprocess.Process:
        module, *more = ("dispatch", self.command) if self.command else ("train",)
        return await process.start(
            f"onprem.workers.{module}", str(self.folder.root), worker_id, str(slot), *more,
            log=self.folder.logs / "train.log", threads=self.threads,
        )  # fmt: skip

    async def _note_death(self, worker_id: str, code: int) -> bool:
        """Note it as soon as the store can be written: what killed the worker, a full disk, may last a while."""
        log.warning("training worker ended with code %s; logs/train.log says why", code)
        while True:
            try:
                return await asyncio.to_thread(self._after_death, worker_id, code)
            except Exception as error:
                log.error("the death of a worker cannot be noted (%s); tried again", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    def _after_death(self, worker_id: str, code: int) -> bool:
        """Note the death on the job that the worker held; returns whether it held one."""
        held = job_rows.held_by(self.db, worker_id)
        for job in held:
            job_rows.died(self.db, job, code)
            checkpoint.tidy(self.db, self.folder, job["id"])
        return bool(held)
