"""Runs `experiments ...` and is killed (SIGKILL) after a call: `python mortal.py N run SPEC.toml ...` after the n-th call by
which the loop changes the store or the provider, `python mortal.py NAME:N run ...` after the n-th call of that name.

N alone counts the whole calls of the loop, CALLS; what is between two of those changes nothing, so that "after one" and
"before the next" are the same moment. What happens within `submit`, where a job is made and paid for, can be named too:
WITHIN. The writes of which `write_advice` and the evaluation consist are not met one by one. Where the command ends
before its call, its own exit code is returned.
"""

import functools
import inspect
import os
import signal
import sys

import tracker
import tracker.client
import tracker.submit
from experiments.cli import main

CALLS = dict.fromkeys(
    ("start_loop", "submit", "set_tags", "follow", "finish_loop", "reopen_loop"), tracker.Session
) | {"write_advice": tracker}
# The moments of submit: a file is sent, the run is there, the provider has the job, its id is noted.
WITHIN = {
    "_open_run": tracker.submit,
    "upload": tracker.client.OpenAIEndpoint,
    "create": tracker.client.OpenAIEndpoint,
    "_note_id": tracker.submit,
}


class Life:
    """Counts calls and ends the process after the last one."""

    def __init__(self, calls):
        self.left = calls

    def _count(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def mortal(self, call):
        @functools.wraps(call)
        def wrapped(*args, **kwargs):
            out = call(*args, **kwargs)
            self._count()
            return out

        @functools.wraps(call)
        async def awaited(*args, **kwargs):
            out = await call(*args, **kwargs)
            self._count()
            return out

        return awaited if inspect.iscoroutinefunction(call) else wrapped


if __name__ == "__main__":
    name, _, calls = sys.argv[1].rpartition(":")
    life = Life(int(calls))
    for one, home in ({name: (CALLS | WITHIN)[name]} if name else CALLS).items():
        setattr(home, one, life.mortal(getattr(home, one)))
    sys.exit(main(sys.argv[2:]))
