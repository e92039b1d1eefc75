"""A worker's tie to its server: lines on standard input, and death at its end.

The kernel closes the pipe when the server dies, however it dies; the worker then exits at once, without
cleaning up: whatever it was doing can be cut off at any instant.
"""

import os
import sys
import threading
from collections.abc import Callable


def watch(on_line: Callable[[str], None], on_end: Callable[[], None] = lambda: None) -> None:
    """Call `on_line` with each line of standard input, in a thread of its own; at its end `on_end`, then exit."""

    def read() -> None:
        for line in sys.stdin:
            on_line(line.rstrip("\n"))
        on_end()
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="lifeline").start()
