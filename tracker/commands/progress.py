"""Progress of long work on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

# Seconds between lines where there is no terminal: a rescue of years takes hours, and its log should stay readable.
QUIET_S = 10.0


class Bar:
    """A bar of one unit; use as a context manager, `update` fits every `on_progress` here.

    Parameters
    ----------
    unit
        What is counted, as "jobs".
    """

    def __init__(self, unit: str):
        self._unit, self._bars, self._task = unit, None, None
        self._told = time.monotonic()

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bars: Any = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bars.add_task(self._unit, total=None)
            self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bars:
            self._bars.stop()

    def update(self, done: int, total: int) -> None:
        """Show that so many of so many are done; where the total is not known it is 0."""
        if self._bars:
            text = self._unit if total else f"{done} {self._unit}"
            self._bars.update(self._task, completed=done, total=total or None, description=text)
        elif time.monotonic() - self._told > QUIET_S:
            self._told = time.monotonic()
            of = f" of {total}" if total else ""
            print(f"{done}{of} {self._unit}", file=sys.stderr)
