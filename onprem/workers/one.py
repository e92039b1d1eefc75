"""One process of one job that a launcher started: what `--engine command` and `--engine ray` run.

    python -m onprem.workers.one DATA_DIR JOB_ID WORKER_ID

SIGTERM lets the step under way finish and saves a checkpoint. Exit code 0: the job's end is in the store.
"""

import logging
import os
import signal
import sys
import threading


def run(data_dir: str, job_id: str, worker_id: str) -> None:
    """Train the job, which the worker of this id has claimed."""
    from onprem.store import jobs as job_rows
    from onprem.training.worker import Worker

    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker = Worker(data_dir, worker_id, stop.is_set)
    job = job_rows.get(worker.db, None, job_id)
    if job is not None and job["worker"] == worker_id:
        worker.run(job)


def main() -> None:
    """Run as a process of its own."""
    from onprem.training import gpu
    from onprem.workers.dispatch import SLOT

    gpu.take_one(int(os.environ.get(SLOT, "0")))
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    run(*sys.argv[1:4])
    sys.stdout.flush()
    os._exit(0)  # nothing is left to clean up, and torch's own teardown takes seconds


if __name__ == "__main__":
    main()
