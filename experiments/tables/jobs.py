"""Runs the jobs of a table on a fine-tuning server, through the plain `openai` client, and reads their curves.

It knows nothing of MLflow: hundreds of jobs of a grid are material for one table and no experiment of anybody's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from openai import OpenAI

from .grid import Setting

IN_FLIGHT = 4  # jobs at the server at a time: its worker never waits, and an interruption loses few
POLL_SECONDS = 0.3
ENDED = ("succeeded", "failed", "cancelled")


class Server:
    """A fine-tuning server with one task's files uploaded."""

    def __init__(self, base_url: str, model: str, train: Path, valid: Path, api_key: str = "none") -> None:
        self.client = OpenAI(base_url=base_url, api_key=api_key)
        self.model = model
        self.files = {
            name: self.client.files.create(file=path, purpose="fine-tune").id
            for name, path in (("training_file", train), ("validation_file", valid))
        }

    def run(self, settings: Iterable[Setting], seed: int) -> Iterator[tuple[Setting, dict]]:
        """Run a job for each setting, a few at a time; yield each with its job's story as it ends."""
        waiting, running = list(settings), {}
        while waiting or running:
            while waiting and len(running) < IN_FLIGHT:
                setting = waiting.pop(0)
                running[self._submit(setting, seed)] = setting
            for job_id, setting in list(running.items()):
                job = self.client.fine_tuning.jobs.retrieve(job_id)
                if job.status in ENDED:
                    del running[job_id]
                    yield setting, self._story(job)
            time.sleep(POLL_SECONDS)

    def _submit(self, setting: Setting, seed: int) -> str:
        names = ("n_epochs", "batch_size", "learning_rate_multiplier")
        hyperparameters = dict(zip(names, setting, strict=True))
        method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
        # No retry: the SDK would repeat a POST whose answer was lost, and the job would be there twice.
        create = self.client.with_options(max_retries=0).fine_tuning.jobs.create
        return create(model=self.model, method=method, seed=seed, **self.files).id

    def _story(self, job) -> dict:
        """Return status, trained tokens and metrics (in order of steps) of a job that has ended."""
        events = self.client.fine_tuning.jobs.list_events(job.id, limit=100)
        metrics = [event.data for event in events if event.type == "metrics"]
        if job.status == "cancelled":
            raise RuntimeError(f"job {job.id} was cancelled at the server; a table needs each of its jobs")
        error = getattr(job.error, "code", None)
        if job.status == "failed" and error != "diverged":
            raise RuntimeError(f"job {job.id} failed ({error}): {getattr(job.error, 'message', '')}")
        return {
            "diverged": job.status == "failed",
            "tokens": job.trained_tokens,
            "metrics": sorted(metrics, key=lambda point: point["step"]),
        }


def with_progress(jobs: Iterator, left: list[Setting], done: int, tell: Callable[[str], None]) -> Iterator:
    """Pass the jobs on, telling how many there are and how long the rest will take, counted in epochs."""
    started, to_go, passed = time.monotonic(), sum(setting[0] for setting in left), 0
    for n, (setting, story) in enumerate(jobs, start=1):
        epochs, batch, multiplier = setting
        passed += epochs
        minutes = (time.monotonic() - started) / passed * (to_go - passed) / 60
        knobs = f"epochs {epochs}  batch {batch}  multiplier {multiplier:g}"
        tell(f"{done + n}/{done + len(left)}  {knobs}  {minutes:.0f} min left")
        yield setting, story
