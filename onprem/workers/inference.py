"""One inference process and the requests that it was given: each is answered, be it by the process's death.

A request goes out as a line of JSON, its answers come back as lines with its number. When the lines end, or one
cannot be read, the process is of no more use: it is killed, and whoever waits for it is told.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

log = logging.getLogger("onprem.server")

DIED = {"code": "worker_died", "message": "The inference worker died; the next request starts a new one."}


class SamplerError(Exception):
    """The request could not be answered; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InferenceWorker:
    """A running inference process.

    Parameters
    ----------
    process : asyncio.subprocess.Process
        With pipes to its input and from its output.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, asyncio.Queue] = {}
        self.usable = True
        self.reader = asyncio.create_task(self._read())

    async def ask(self, number: int, request: dict) -> AsyncIterator[dict]:
        """Yield the answers to one request, the last with `done`.

        Raises
        ------
        SamplerError
            With the process's code, or `worker_died`.
        """
        if not self.usable:
            raise SamplerError(**DIED)
        answers = self.waiting[number] = asyncio.Queue()
        ended = False
        self._send({"id": number, **request})
        try:
            while not ended:
                answer = await answers.get()
                ended = "done" in answer or "error" in answer
                if "error" in answer:
                    raise SamplerError(answer["error"]["code"], answer["error"]["message"])
                yield answer
        finally:
            del self.waiting[number]
            if not ended:  # the client has gone
                self._send({"cancel": number})

    def forget(self) -> None:
        """Have the process give its models' memory back; its imports, which take seconds, stay."""
        self._send({"forget": True})

    def kill(self) -> None:
        """End the process; who still waits is told so."""
        self.usable = False
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def _send(self, line: dict) -> None:
        if self.usable:
            self.process.stdin.write(json.dumps(line).encode() + b"\n")

    async def _read(self) -> None:
        try:
            async for line in self.process.stdout:
                answer = json.loads(line)
                if answer["id"] in self.waiting:
                    self.waiting[answer["id"]].put_nowait(answer)
        except (ValueError, KeyError, TypeError) as error:  # no JSON, none of ours, or a line over the limit
            log.error("the inference worker's answer could not be read (%s)", type(error).__name__)
        finally:
            self.kill()
            for answers in self.waiting.values():
                answers.put_nowait({"error": DIED})
