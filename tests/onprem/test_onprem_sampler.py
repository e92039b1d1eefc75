"""The inference worker's side of the server: nobody waits for ever, however the worker ends."""

import asyncio
import os
import subprocess
import sys

import pytest

from onprem.store import DataFolder
from onprem.workers import process, sampler
from onprem.workers.inference import InferenceWorker, SamplerError
from onprem.workers.sampler import Sampler

# What a worker does with each line that it is sent: the answers of a real one, or worse.
DEEDS = {
    "echo": 'print(json.dumps({"id": r["id"], "text": "x", "done": True}), flush=True)',
    "print no JSON": 'print("a library says hello", flush=True)',
    "print JSON of no answer": 'print("[1]", flush=True)',
    "print too long a line": f'print("x" * {process.LINE_LIMIT + 1}, flush=True)',
    "close its output and live": "os.close(1); time.sleep(60)",
    "die": "os._exit(1)",
}
WORKER = "import json, os, sys, time\nfor line in sys.stdin:\n    r = json.loads(line)\n    if 'id' in r: "


@pytest.fixture
def deeds(monkeypatch):
    """Let workers do the deeds of this list, one each; then echo."""
    left = []

    async def start(module, *, log, threads, answers):
        code = WORKER + DEEDS[left.pop(0) if left else "echo"]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=pipe, stdout=pipe, limit=process.LINE_LIMIT
        )

    monkeypatch.setattr(process, "start", start)
    return left


async def ask(owner: Sampler) -> str:
    """Return the text of one answer, or the code of the error."""
    try:
        return "".join([answer["text"] async for answer in owner.ask({})])
    except SamplerError as error:
        return error.code


def run(work, tmp_path):
    async def whole():
        owner = Sampler(DataFolder.at(tmp_path))
        try:
            return await asyncio.wait_for(work(owner), 20)
        finally:
            await owner.stop()

    return asyncio.run(whole())


@pytest.mark.parametrize("deed", [name for name in DEEDS if name != "echo"])
def test_a_worker_that_breaks_fails_its_requests_and_the_next_is_answered(deeds, tmp_path, deed):
    deeds.append(deed)

    async def work(owner):
        first = await asyncio.gather(ask(owner), ask(owner))
        return [*first, await ask(owner)]

    assert run(work, tmp_path) == ["worker_died", "worker_died", "x"]


def test_a_request_right_after_the_kill_is_answered_by_a_new_worker(deeds, tmp_path):
    async def work(owner):
        assert await ask(owner) == "x"
        old = owner.worker
        old.kill()
        assert old.process.returncode is None, "the kill is not yet known"
        told = await ask(owner)
        assert owner.worker is not old
        return told

    assert run(work, tmp_path) == "x"


def test_an_old_workers_death_fails_no_request_of_the_new(deeds, tmp_path):
    async def work(owner):
        assert await ask(owner) == "x"
        owner.worker.usable, old = False, owner.worker  # given up, not yet dead
        asking = asyncio.create_task(ask(owner))
        await asyncio.sleep(0)
        old.kill()
        await old.reader
        return await asking

    assert run(work, tmp_path) == "x"


def test_a_worker_that_nobody_asks_forgets_its_models_and_lives_on(deeds, tmp_path, monkeypatch):
    monkeypatch.setattr(sampler, "IDLE_SECONDS", 0.05)
    forgotten = asyncio.Event()
    monkeypatch.setattr(InferenceWorker, "forget", lambda worker: forgotten.set())

    async def work(owner):
        owner.warm()
        await owner.warming
        warmed = owner.worker
        assert await ask(owner) == "x"
        await forgotten.wait()
        assert await ask(owner) == "x"
        return warmed is owner.worker

    assert run(work, tmp_path)


def test_what_a_library_prints_is_no_answer():
    code = "import os; from onprem.workers import infer; out = infer._answers(); print('hello'); os.system('echo hi'); infer._say(out, 7, {})"
    done = subprocess.run(
        [sys.executable, "-u", "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert (done.stdout, done.stderr.split()) == ('{"id": 7}\n', ["hello", "hi"])
