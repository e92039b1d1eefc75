"""One process per loop: a second one is told so, instead of both deciding on the same job.

The lock belongs to the process and goes with it, however it ends. It holds on one machine; across machines the job
keys still keep a job from being submitted twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import LoopBusy


@contextlib.contextmanager
def alone(name: str, store: str) -> Iterator[None]:
    """Hold the lock of loop `name` in `store`; raises LoopBusy where another process holds it."""
    import fcntl

    mark = hashlib.sha256(f"{os.getuid()}\n{store}\n{name}".encode()).hexdigest()[:20]
    path = Path(tempfile.gettempdir()) / f"finetune-advisor-{mark}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise LoopBusy(name, file.read()) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
