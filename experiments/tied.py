"""Runs a command that must not outlive its caller: `python -m experiments.tied COMMAND ...`.

The caller holds the other end of standard input. The kernel closes it when the caller ends, however it ends (kill -9
included); the command is then asked to end, and killed where it does not. Knows nothing of what the command does.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

# Seconds to end in: onprem gives a training worker up to 120 to finish its step, which here takes well under one.
STOP_SECONDS = 125


def main(command: Sequence[str]) -> int:
    """Run the command to its end or the caller's; its exit code is returned."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    # Ctrl-C reaches the whole terminal group: the command ends by itself, and this waits for it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.terminate())
    threading.Thread(target=_end_with_caller, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_caller(process: subprocess.Popen[bytes]) -> None:
    sys.stdin.buffer.read()  # nothing is ever written: it returns when the caller's end is closed
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
