"""Shows a loop while it runs: bars of jobs and steps on a terminal, plain lines elsewhere; all of it on stderr.

Only shows; the loop runs the same without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from advisor import Advice
    from experiments.state import Plan
    from tracker import TrackedJob


class Progress:
    """A context manager: bars live while it is open."""

    def __init__(self, jobs: int, console: Console | None = None):
        self.console = console or Console(stderr=True)
        self.jobs = jobs
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.total = self.bars.add_task("jobs", total=jobs, losses="")
        self.tasks: dict[int, Any] = {}

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.bars.stop()

    def submitting(self, plan: Plan) -> None:
        """A job is about to be sent."""
        why = f" ({plan.changed})" if plan.number > 1 else ""
        self._say(f"job {plan.number} of at most {self.jobs}, {_knobs(plan.hyperparameters)}{why}")

    def update(self, number: int, job: TrackedJob) -> None:
        """A job has moved on."""
        if number not in self.tasks:
            self.tasks[number] = self.bars.add_task(f"job {number}", total=job.total_steps, losses="")
        losses = "  ".join(
            f"{name} {value:.3f}"
            for name, value in (("train", job.train_loss), ("valid", job.valid_loss))
            if value is not None
        )
        self.bars.update(
            self.tasks[number],
            description=f"job {number} {job.status}",
            completed=job.step or 0,
            total=job.total_steps,
            losses=losses,
        )

    def judged(self, plan: Plan, record: dict[str, Any], advice: Advice) -> None:
        """An ended job has its verdict."""
        from advisor.tell.words import verdict

        self.bars.update(self.total, completed=plan.number)
        series = record.get("full_valid_loss") or record.get("valid_loss")
        loss = (
            f", validation loss {series[-1][1]:.4f}"
            if series and isinstance(series[-1][1], int | float)
            else ""
        )
        self._say(f"job {plan.number} {record['status']}{loss}; {verdict(advice.diagnosis)}")

    def unscored(self, plan: Plan, error: Exception) -> None:
        """The test of the task could not be asked of a tuned model."""
        self._say(f"job {plan.number} has no score, and the loop goes on by its loss: {error}")

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def _knobs(hyperparameters: dict[str, Any]) -> str:
    if set(hyperparameters.values()) == {"auto"}:
        return "settings left to the provider"
    return ", ".join(
        f"{k} {v:.4g}" if isinstance(v, int | float) else f"{k} {v}" for k, v in hyperparameters.items()
    )
