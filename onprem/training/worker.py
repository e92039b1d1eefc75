"""Takes the next job, runs it, and turns what goes wrong into a failed job with a code and advice."""

import logging
import warnings
from collections.abc import Callable

import torch
import transformers

from onprem.store import DataFolder, open_database
from onprem.store import jobs as job_rows
from onprem.store.full import is_disk_full
from onprem.training import checkpoint, gpu, ranks
from onprem.training.errors import JobError
from onprem.training.job_run import JobRun

log = logging.getLogger("onprem.train")

DISK_FULL = (
    "The disk that holds the server's data is full. Nothing that was told is lost. "
    "Free some space (`onprem doctor` shows how much is left) and create the job again."
)
OUT_OF_MEMORY = (
    'Training ran out of memory. Lower batch_size or max_length, ask for LoRA ({"lora": true}), or take a smaller '
    "model; the server and the other jobs go on."
)


class Worker:
    """One worker's work on the queue.

    Parameters
    ----------
    data_dir : str
        The data folder.
    worker_id : str
        What the store knows this process by.
    shutdown : callable
        Whether to end after the step under way.
    """

    def __init__(self, data_dir: str, worker_id: str, shutdown: Callable[[], bool]) -> None:
        self.folder = DataFolder.at(data_dir)
        self.db = open_database(self.folder)
        self.worker_id, self.shutdown = worker_id, shutdown
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        warnings.filterwarnings("ignore")  # of libraries, about each other
        if gpu.present():
            torch.use_deterministic_algorithms(True, warn_only=True)

    def work_once(self) -> bool:
        """Run one job; False where the queue is empty."""
        job = job_rows.claim(self.db, self.worker_id)
        if job is None:
            return False
        self.run(job)
        return True

    def run(self, job: dict) -> None:
        """Run a claimed job to its end or interruption, and let go of it."""
        log.info("job %s: started", job["id"])
        try:
            JobRun(self.db, self.folder, job, self.shutdown).run()
        except Exception as error:
            code, message, param = failure(error)
            log.error("job %s: %s at %s", job["id"], code, _where(error))
            if not ranks.is_first():
                raise
            checkpoint.drop_halves(self.folder.job(job["id"]))  # where the disk is full, room to tell so
            job_rows.fail(self.db, job["id"], code, message, param, holder=self.worker_id)
        finally:
            if ranks.is_first():
                checkpoint.let_go(self.db, self.folder, job["id"], self.worker_id)
            if gpu.present():
                torch.cuda.empty_cache()
        log.info("job %s: let go", job["id"])


def failure(error: Exception) -> tuple[str, str, str | None]:
    """Return the code, message and parameter that a client sees for `error`."""
    text = str(error).lower()
    if isinstance(error, JobError):
        return error.code, str(error), error.param
    if is_disk_full(error):
        return "disk_full", DISK_FULL, None
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "allocate memory" in text:
        return "out_of_memory", OUT_OF_MEMORY, None
    if isinstance(error, LookupError) and "no longer registered" in text:
        return "model_not_available", f"The job cannot start: {error}.", "model"
    kind = type(error).__name__
    return "internal_error", f"Training stopped on an error of the server ({kind}); its log says where.", None


def _where(error: Exception) -> str:
    """Name the innermost line of code: a traceback's values could hold training text."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return (
        f"{type(error).__name__} in {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
    )
