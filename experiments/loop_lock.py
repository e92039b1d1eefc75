"""One process per loop: a second one is told so, instead of both deciding on the same job.

The lock belongs to the process and goes with it, however it ends. It holds on one machine; across machines the job
keys still keep a job from being submitted twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import LoopBusy


@contextlib.contextmanager
def alone(name: str, store: str) -> Iterator[None]:
    """Hold the lock of loop `name` in `store`; raises LoopBusy where another process holds it."""
    import fcntl

    mark = hashlib.sha256(f"{store}\n{name}".encode()).hexdigest()[:20]
    # O_NOFOLLOW: what another has laid there as a link must not be written through.
    number = os.open(_folder() / f"{mark}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "r+") as file:
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


def _folder() -> Path:
    """This user's own folder for locks, the same from every working directory and in every login."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache) / "finetune-advisor"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
