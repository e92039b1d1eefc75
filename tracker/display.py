"""Progress of jobs on a terminal: a bar each, with the last losses. Plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

from tracker.jobs import TrackedJob

#: Seconds between plain lines of one job where there is no terminal.
QUIET_S = 10.0

#: Bars at most; more jobs are summed up in one.
BARS = 12


class Progress:
    """Shows jobs as they are followed. Use as a context manager; ``update`` fits ``Session.follow``."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._said: dict[str, tuple[float, str]] = {}

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Bars(*columns, TextColumn("{task.fields[losses]}"), console=Console(stderr=True))
            self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bars:
            self._bars.stop()

    def update(self, job: TrackedJob) -> None:
        """Show where a job stands."""
        if self._bars is None:
            self._say(job)
        elif job.id in self._tasks or len(self._tasks) < BARS:
            if job.id not in self._tasks:
                self._tasks[job.id] = self._bars.add_task(job.id, total=job.total_steps, losses="")
            self._bars.update(
                self._tasks[job.id],
                description=f"{job.id} {job.status}",
                completed=job.step or 0,
                total=job.total_steps,
                losses=losses(job),
            )

    def _say(self, job: TrackedJob) -> None:
        at, status = self._said.get(job.id, (0.0, ""))
        if status == job.status and time.monotonic() - at < QUIET_S:
            return
        self._said[job.id] = (time.monotonic(), job.status)
        steps = f" step {job.step}/{job.total_steps or '?'}" if job.step else ""
        print(f"{job.id} {job.status}{steps} {losses(job)}".rstrip(), file=sys.stderr)


def losses(job: TrackedJob) -> str:
    """Return a job's last losses in a few words."""
    figures = (("train", job.train_loss), ("valid", job.valid_loss), ("full valid", job.full_valid_loss))
    return " ".join(f"{name} {value:.4g}" for name, value in figures if value is not None)
