"""Runs `experiments ...` and is killed (SIGKILL) at its n-th step: `python mortal.py N run SPEC.toml ...`.

A step is a moment just before or just after a call by which the loop changes the store or the provider. Where the
command ends before step N, its own exit code is returned.
"""

import functools
import os
import signal
import sys

import tracker
from experiments.cli import main

CALLS = ("start_loop", "reload", "submit", "set_tags", "follow", "finish_loop", "reopen_loop")


class Life:
    """Counts steps and ends the process at the last one."""

    def __init__(self, steps):
        self.left = steps

    def step(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def mortal(self, call):
        @functools.wraps(call)
        def wrapped(*args, **kwargs):
            self.step()
            out = call(*args, **kwargs)
            self.step()
            return out

        return wrapped


if __name__ == "__main__":
    life = Life(int(sys.argv[1]))
    for name in CALLS:
        setattr(tracker.Session, name, life.mortal(getattr(tracker.Session, name)))
    tracker.write_advice = life.mortal(tracker.write_advice)
    sys.exit(main(sys.argv[2:]))
