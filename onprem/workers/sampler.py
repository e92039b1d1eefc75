"""The server's side of inference: requests to one worker process, pieces of text back.

The worker is started at the first request, or with the training workers: whoever trains a model will want to talk to
it, perhaps while it trains. It answers one request after the other; each is told apart by its number. When nobody has
asked for a while it gives its models' memory back, but lives on: its imports are what takes seconds.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from onprem.store import DataFolder
from onprem.workers import process
from onprem.workers.inference import InferenceWorker

IDLE_SECONDS = 900.0  # then the models' memory is worth more than their readiness


class Sampler:
    """Owner of the inference worker.

    Parameters
    ----------
    folder : DataFolder
        For its log.
    threads : int
        Its torch threads.
    """

    def __init__(self, folder: DataFolder, threads: int = 1) -> None:
        self.folder, self.threads = folder, threads
        self.worker: InferenceWorker | None = None
        self.lock = asyncio.Lock()
        self.numbers = itertools.count(1)
        self.idle: asyncio.TimerHandle | None = None
        self.warming: asyncio.Task | None = None

    async def ask(self, request: dict) -> AsyncIterator[dict]:
        """Yield the worker's answers to one request, the last with `done`.

        Raises
        ------
        SamplerError
            With the worker's code, or `worker_died`.
        """
        worker = await self._ensure()
        try:
            async with contextlib.aclosing(worker.ask(next(self.numbers), request)) as answers:
                async for answer in answers:
                    yield answer
        finally:
            self._rest()

    def warm(self) -> None:
        """Start the worker, unless it runs: its imports are done by the time that the training worker's are."""
        if not self._usable() and (self.warming is None or self.warming.done()):
            self.warming = asyncio.get_running_loop().create_task(self._ensure())

    async def stop(self) -> None:
        """End the worker."""
        for planned in (self.idle, self.warming):
            if planned:
                planned.cancel()
        async with self.lock:
            if self.worker:
                self.worker.kill()
                await self.worker.process.wait()
                self.worker.reader.cancel()

    async def _ensure(self) -> InferenceWorker:
        async with self.lock:
            if self.idle:
                self.idle.cancel()
            if not self._usable():
                log_path = self.folder.logs / "infer.log"
                started = await process.start(
                    "onprem.workers.infer", log=log_path, threads=self.threads, answers=True
                )
                self.worker = InferenceWorker(started)
            return self.worker

    def _usable(self) -> bool:
        return self.worker is not None and self.worker.usable

    def _rest(self) -> None:
        """Begin to count the idle time, where nobody waits for an answer."""
        if self.idle:
            self.idle.cancel()
        if self._usable() and not self.worker.waiting:
            self.idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.worker.forget)
