"""Runs `experiments ...` and is killed (SIGKILL) after its n-th call: `python mortal.py N run SPEC.toml ...`.

The calls are those by which the loop changes the store or the provider; what is between two of them changes neither, so
that "after one" and "before the next" are the same moment. Where the command ends before call N, its own exit code is
returned.
"""

import functools
import os
import signal
import sys

import tracker
from experiments.cli import main

CALLS = ("start_loop", "submit", "set_tags", "follow", "finish_loop", "reopen_loop")


class Life:
    """Counts calls and ends the process after the last one."""

    def __init__(self, calls):
        self.left = calls

    def mortal(self, call):
        @functools.wraps(call)
        def wrapped(*args, **kwargs):
            out = call(*args, **kwargs)
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return out

        return wrapped


if __name__ == "__main__":
    life = Life(int(sys.argv[1]))
    for name in CALLS:
        setattr(tracker.Session, name, life.mortal(getattr(tracker.Session, name)))
    tracker.write_advice = life.mortal(tracker.write_advice)
    sys.exit(main(sys.argv[2:]))
