"""A real server in a process of its own, and rows to train on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import openai

TERMINAL = ("succeeded", "failed", "cancelled")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}


class Server:
    """`onprem serve` on a free loopback port."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir, self.options = data_dir, options
        self.process: subprocess.Popen | None = None

    def start(self) -> "Server":
        command = [
            sys.executable,
            "-m",
            "onprem.cli",
            "serve",
            "--port",
            "0",
            "--data-dir",
            str(self.data_dir),
        ]
        self.process = subprocess.Popen(
            [*command, *self.options], stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT
        )
        line = self.process.stdout.readline()
        assert line.startswith("onprem: ready on "), f"the server said {line!r}"
        self.base_url = line.split()[-1]
        return self

    def client(self, key: str = "any") -> openai.OpenAI:
        return openai.OpenAI(base_url=self.base_url, api_key=key, max_retries=0, timeout=60)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End the server as an operator would; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def chat_rows(n: int, first: int = 0) -> bytes:
    """Rows whose answers follow a pattern that a few steps can learn."""
    return jsonl(
        {
            "messages": [
                {"role": "user", "content": f"What is number {i}?"},
                {"role": "assistant", "content": f"It is {i}, of course."},
            ]
        }
        for i in range(first, first + n)
    )


def preference_rows(n: int, first: int = 0) -> bytes:
    """Rows that prefer the polite answer."""
    return jsonl(
        {
            "input": {"messages": [{"role": "user", "content": f"What is number {i}?"}]},
            "preferred_output": [{"role": "assistant", "content": f"It is {i}, my friend."}],
            "non_preferred_output": [{"role": "assistant", "content": f"Find out {i} yourself."}],
        }
        for i in range(first, first + n)
    )


def jsonl(rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(client: openai.OpenAI, content: bytes, name: str = "rows.jsonl") -> str:
    return client.files.create(file=(name, content), purpose="fine-tune").id


def wait_for(
    client: openai.OpenAI, job_id: str, until=lambda job: job.status in TERMINAL, seconds: float = 120
):
    """Poll the job until `until` holds; returns it."""
    deadline = time.monotonic() + seconds
    while True:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if until(job):
            return job
        assert job.status not in TERMINAL, f"the job ended early: {job}"
        assert time.monotonic() < deadline, (
            f"still {job.status} after {seconds} s: {told(client, job_id)[-3:]}"
        )
        time.sleep(0.05)


def told(client: openai.OpenAI, job_id: str) -> list:
    """All events of a job, oldest first, read page by page as a client would."""
    return list(client.fine_tuning.jobs.list_events(job_id, limit=50))[::-1]


def metrics(client: openai.OpenAI, job_id: str) -> list[dict]:
    """The data of all metrics events, oldest first."""
    return [event.data for event in told(client, job_id) if event.type == "metrics"]


def run_job(
    client: openai.OpenAI,
    training_file: str,
    validation_file: str | None = None,
    seconds: float = 120,
    **settings,
):
    """Create a job and wait for its end."""
    settings = {"model": "embedded-tiny", "seed": 7} | settings
    job = client.fine_tuning.jobs.create(
        training_file=training_file, validation_file=validation_file, **settings
    )
    return wait_for(client, job.id, seconds=seconds)


def strictly(kind, thing):
    """Validate against the client's own type, which by itself it never does."""
    kind.model_validate(thing.to_dict(), strict=False)
