"""A provider for measuring: answers from memory as fast as asyncio allows, in a process of its own.

Every job emits an event each ``period`` seconds for ever; the event's training loss is the moment it became visible,
so that a reader knows its lag from the point alone. With ``ended`` events the jobs are history instead, each fifth one
failed, with result tables and a training file.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: One job in so many of an ended account has failed, as some do in a real one.
FAILED_EACH = 5

TRAINING = b"".join(
    b'{"messages": [{"role": "user", "content": "question %d"}, {"role": "assistant", "content": "answer"}]}\n'
    % n
    for n in range(100)
)


class Account:
    """What the provider knows."""

    def __init__(self, jobs: int, period: float, ended: int = 0):
        self.jobs, self.period, self.ended, self.begun = jobs, period, ended, time.time()

    def job(self, k: int) -> dict:
        """Return a job as the API serves it."""
        failed = k % FAILED_EACH == FAILED_EACH - 1
        fields = {"id": f"ftjob-{k}", "object": "fine_tuning.job", "created_at": int(self.begun), "model": "m",
                  "training_file": "file-train", "validation_file": None, "seed": 1, "error": None, "result_files": [],
                  "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0}}  # fmt: skip
        if not self.ended:
            return fields | {"status": "running"}
        fields |= {"finished_at": int(self.begun) + 9}
        if failed:
            return fields | {
                "status": "failed",
                "error": {"code": "server_error", "message": "The job failed."},
            }
        return fields | {"status": "succeeded", "trained_tokens": 1000, "result_files": [f"file-result-{k}"]}

    def table(self) -> bytes:
        """Return a job's result file."""
        rows = [f"{n},{1 / n},0.5,," for n in range(1, self.ended + 1)]
        head = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
        return "\n".join([head, *rows]).encode()

    def events(self, k: int, after: str | None, limit: int) -> dict:
        """Return a page of a job's events, newest first."""
        count = self.ended or int((time.time() - self.begun) / self.period + k / max(1, self.jobs))
        newest = int(after.rsplit("-", 1)[1]) - 1 if after else count
        steps = range(newest, max(0, newest - limit), -1)
        return {"object": "list", "data": [self._event(k, n) for n in steps], "has_more": newest - limit > 0}

    def _event(self, k: int, n: int) -> dict:
        visible = self.begun + (n - k / max(1, self.jobs)) * self.period
        loss = 1.0 / n if self.ended else visible
        data = {"step": n, "total_steps": 10**6, "train_loss": loss, "train_mean_token_accuracy": 0.5}
        return {
            "id": f"ev-{k}-{n}",
            "created_at": int(visible),
            "type": "metrics",
            "message": "",
            "level": "info",
            "data": data,
        }

    def answer(self, path: str, query: dict) -> bytes:
        """Return the body of an answer."""
        parts = path.strip("/").split("/")[1:]
        if parts[0] == "files" and parts[-1] == "content":
            return TRAINING if parts[1] == "file-train" else self.table()
        return json.dumps(self._object(parts, query)).encode()

    def _object(self, parts: list[str], query: dict) -> dict:
        limit, after = int(query.get("limit", 20)), query.get("after")
        if parts[0] == "files":
            return {"id": parts[1], "filename": "set.jsonl", "bytes": len(TRAINING)}
        if len(parts) == 2:
            first = int(after.rsplit("-", 1)[1]) + 1 if after else 0
            shown = range(first, min(first + limit, self.jobs))
            return {
                "object": "list",
                "data": [self.job(k) for k in shown],
                "has_more": first + limit < self.jobs,
            }
        k = int(parts[2].rsplit("-", 1)[1])
        if len(parts) == 3:
            return self.job(k)
        if parts[3] == "events":
            return self.events(k, after, limit)
        return {"object": "list", "data": [], "has_more": False}


async def _serve(account: Account, ready: Any) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                parts = urlsplit(head.split(b" ", 2)[1].decode())
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                body = account.answer(parts.path, query)
                writer.write(_HEAD % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=2000)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def _main(jobs: int, period: float, ended: int, ready: Any) -> None:
    asyncio.run(_serve(Account(jobs, period, ended), ready))


class LeanServer:
    """Runs the account in a process of its own; use as a context manager."""

    def __init__(self, jobs: int, period: float = 15.0, ended: int = 0):
        here, there = multiprocessing.Pipe()
        # A fresh interpreter: a fork would carry our threads' locks along.
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_main, args=(jobs, period, ended, there), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{here.recv()}/v1"

    def __enter__(self) -> LeanServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.join()
