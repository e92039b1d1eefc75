"""``tracker sync``: the whole account into MLflow."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tracker.commands.shared import command, endpoint_options, open_session, told_aside


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "sync",
        "Record the whole account in MLflow: every job, every status, all history. Run again, it goes on.",
        "tracker sync --base-url https://api.openai.com/v1",
    )
    parser.add_argument("--json", action="store_true", help="answer with the summary as JSON")
    endpoint_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out: 0 where all that exists was read, 1 where something was not."""
    from tracker.sync import sync

    with open_session(args) as session:
        with _Bar() as bar:
            summary = session.wait(sync(session, bar.update))
        print("Read; writing what waits.", file=sys.stderr)
        waiting = not session.writer.flush(timeout=600)
        incomplete = told_aside(session)
    print(json.dumps(vars(summary)) if args.json else "\n".join(summary.lines()))
    if waiting:
        print(
            "MLflow does not take everything now; the rest waits in the spool for the next command.",
            file=sys.stderr,
        )
    return 1 if summary.unread or waiting or incomplete else 0


class _Bar:
    """One bar of jobs on a terminal, a line now and then elsewhere."""

    def __enter__(self) -> _Bar:
        self._bars: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bars = Progress(console=Console(stderr=True))
            self._task = self._bars.add_task("jobs", total=None)
            self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bars:
            self._bars.stop()

    def update(self, summary: Any, done: int) -> None:
        """Show how far the sync is."""
        if self._bars:
            self._bars.update(self._task, completed=done, total=summary.jobs)
        elif done % 100 == 0 or done == summary.jobs:
            print(f"{done} of {summary.jobs} jobs", file=sys.stderr)
