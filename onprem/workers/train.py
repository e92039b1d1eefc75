"""The training worker: takes jobs from the queue one after the other, its imports done once.

    python -m onprem.workers.train DATA_DIR WORKER_ID SLOT

It looks at the queue whenever the server writes a line, and every few seconds besides; the line `stop` lets the
step under way finish, saves a checkpoint and ends. Its log names jobs and errors, never training text.
"""

import logging
import os
import sys
import threading

from onprem.workers import lifeline

LOOK_SECONDS = 5.0

log = logging.getLogger("onprem.train")


def main() -> None:
    """Run until the server is gone or says stop."""
    poke, stop, ready = threading.Event(), threading.Event(), threading.Event()

    def heed(line: str) -> None:
        if line == "stop":
            if not ready.is_set():
                os._exit(0)  # still importing: there is no step to finish
            stop.set()
        poke.set()

    lifeline.watch(heed)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from onprem.training import gpu  # imports torch, after the lifeline is tied

    gpu.take_one(int(sys.argv[3]))
    from onprem.training.worker import Worker

    worker = Worker(sys.argv[1], sys.argv[2], stop.is_set)
    ready.set()
    while not stop.is_set():
        if not worker.work_once():
            poke.wait(LOOK_SECONDS)
            poke.clear()
    log.info("stopped")
    sys.stdout.flush()
    os._exit(0)  # nothing is left to clean up, and torch's own teardown takes seconds


if __name__ == "__main__":
    main()
