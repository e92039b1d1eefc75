"""The server's side of inference: requests to one worker process, pieces of text back.

The worker is started at the first request and ended when nobody has asked for a while. It answers one request
after the other; each is told apart by its number.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

from onprem.store import DataFolder
from onprem.workers import process

IDLE_SECONDS = 900.0  # then its memory is worth more than its readiness
WARM_AFTER = 15.0  # seconds after a job was made: by then the training worker has done its own imports


class SamplerError(Exception):
    """The request could not be answered; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
        self.worker: asyncio.subprocess.Process | None = None
        self.lock = asyncio.Lock()
        self.answers: dict[int, asyncio.Queue] = {}
        self.numbers = itertools.count(1)
        self.reader: asyncio.Task | None = None
        self.idle: asyncio.TimerHandle | None = None
        self.warming: asyncio.TimerHandle | None = None

    async def ask(self, request: dict) -> AsyncIterator[dict]:
        """Yield the worker's answers to one request, the last with `done`.

        Raises
        ------
        SamplerError
            With the worker's code, or `worker_died`.
        """
        await self._ensure()
        number = next(self.numbers)
        answers = self.answers[number] = asyncio.Queue()
        self._send({"id": number, **request})
        try:
            while True:
                answer = await answers.get()
                if "error" in answer:
                    raise SamplerError(answer["error"]["code"], answer["error"]["message"])
                yield answer
                if "done" in answer:
                    return
        finally:
            del self.answers[number]
            self._send({"cancel": number})
            self._rest()

    def warm(self) -> None:
        """Start the worker soon: who makes a job will want to talk to its model, perhaps while it trains."""
        loop = asyncio.get_running_loop()
        if self.worker is None and self.warming is None:
            self.warming = loop.call_later(WARM_AFTER, lambda: loop.create_task(self._ensure()))

    async def stop(self) -> None:
        """End the worker."""
        for timer in (self.idle, self.warming):
            if timer:
                timer.cancel()
        if self.worker and self.worker.returncode is None:
            self.worker.kill()
            await self.worker.wait()
        if self.reader:
            self.reader.cancel()

    async def _ensure(self) -> None:
        async with self.lock:
            if self.idle:
                self.idle.cancel()
            if self.worker is None or self.worker.returncode is not None:
                self.worker = await process.start(
                    "onprem.workers.infer",
                    log=self.folder.logs / "infer.log",
                    threads=self.threads,
                    answers=True,
                )
                self.reader = asyncio.create_task(self._read(self.worker))

    def _send(self, line: dict) -> None:
        if self.worker and self.worker.returncode is None:
            self.worker.stdin.write(json.dumps(line).encode() + b"\n")

    async def _read(self, worker: asyncio.subprocess.Process) -> None:
        async for line in worker.stdout:
            answer = json.loads(line)
            if answer["id"] in self.answers:
                self.answers[answer["id"]].put_nowait(answer)
        died = {
            "code": "worker_died",
            "message": "The inference worker died; the next request starts a new one.",
        }
        for answers in self.answers.values():
            answers.put_nowait({"error": died})

    def _rest(self) -> None:
        if not self.answers:
            loop = asyncio.get_running_loop()
            self.idle = loop.call_later(IDLE_SECONDS, lambda: self.worker and self._kill_idle())

    def _kill_idle(self) -> None:
        if not self.answers and self.worker.returncode is None:
            self.worker.kill()
