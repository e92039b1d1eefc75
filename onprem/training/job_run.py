"""One job from its claim to its end, or to the step where it was interrupted.

All that it tells goes through the store, under keys that a second telling repeats: it may be cut off at any
instant and run again.
"""

import fcntl
import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PrinterCallback

from onprem.store import Database, DataFolder
from onprem.store import models as model_rows
from onprem.training import checkpoint, gpu, memory, ranks, results
from onprem.training.data import Data, load_data
from onprem.training.errors import JobError
from onprem.training.event_log import EventLog
from onprem.training.job_record import JobRecord
from onprem.training.loading import BASE_FILE, is_there, load_model, load_tokenizer
from onprem.training.plan import Plan
from onprem.training.reporter import UNSAVED, Reporter
from onprem.training.survival import Survival
from onprem.training.tasks import TASKS

GONE = "The files of the model {} are gone from the server's disk. Take another model, or tell the operator."


class JobRun:
    """Trains one claimed job.

    Parameters
    ----------
    db, store
        The store.
    job : dict
        The claimed job's row.
    shutdown : callable
        Whether the server is going down.
    """

    def __init__(self, db: Database, store: DataFolder, job: dict, shutdown: Callable[[], bool]) -> None:
        self.db, self.store, self.job, self.shutdown = db, store, job, shutdown
        base = model_rows.get(db, job["tenant"], job["model"])
        if base is None:
            raise LookupError(f"the model {job['model']} is no longer registered")
        self.base, self.base_path = base, Path(base["path"])
        if not is_there(self.base_path):
            raise JobError("model", GONE.format(job["model"]), code="model_not_available")
        self.folder = store.job(job["id"])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record = JobRecord(db, job, base, self.folder)

    def run(self) -> None:
        """Train to the end, or until cancel, pause or shutdown."""
        with (self.folder / "lock").open("w") as lock:
            if ranks.is_first():  # a worker of a server that was just killed may still hold it
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._prepare()
            self._train()
            if ranks.is_first():
                self._finish()

    def _prepare(self) -> None:
        tokenizer = load_tokenizer(self.base_path)
        self.data: Data = load_data(self.db, self.store, self.job, tokenizer)
        self.plan = Plan.of(self.job, _vocab_size(self.base_path), self.data.longest, ranks.world_size())
        self.task = TASKS[self.plan.method](self.plan, self.data, tokenizer)
        memory.check(self.base["n_params"], self.plan.lora)
        model = load_model(self.base_path, gpu.dtype_at_rest() if self.plan.lora else torch.float32)
        self.task.prepare(model)
        self.trainer = self.task.trainer(model, self.folder)
        batches = len(self.trainer.get_train_dataloader())
        self.per_epoch = math.ceil(batches / self.trainer.args.gradient_accumulation_steps)
        self.total_steps = self.per_epoch * self.plan.n_epochs
        kept = set(range(self.per_epoch, self.total_steps + 1, self.per_epoch))
        self.start = ranks.agree(checkpoint.newest(self.folder, kept) if ranks.is_first() else None)
        self.first = int(self.start.name.rpartition("-")[2]) if self.start else 0

    def _train(self) -> None:
        if ranks.is_first():
            self.record.started(self.data.warnings, self.first)
            if self.first:  # a crash may have come between the checkpoint and its registration
                self.record.saved(self.first, self.first % self.per_epoch == 0)
        log = EventLog(self.db, self.job["id"], self.job["worker"])
        try:
            self.reporter = Reporter(
                log, self.task, self.record, steps_per_epoch=self.per_epoch, total_steps=self.total_steps,
                n_valid=len(self.data.valid), shutdown=self.shutdown,
                nonfinite_run=self.record.nonfinite_run(self.first),
                owes_base_loss=self.first == 0 and not ranks.agree(self.record.base_loss_told()),
            )  # fmt: skip
            self.trainer.remove_callback(PrinterCallback)  # it would print every step into the log
            self.trainer.add_callback(self.reporter)
            self.survival = Survival(self.task, self.record.first_loss() if self.first else math.inf)
            self.trainer.add_callback(self.survival)
            if self.first < self.total_steps:
                self.trainer.train(resume_from_checkpoint=str(self.start) if self.start else None)
        finally:
            log.close()
        log.check()

    def _finish(self) -> None:
        if self.reporter.stopped == "diverged" or self.survival.lost:
            self.record.diverged(self.plan.learning_rate, self.survival.lost)
        if self.reporter.stopped or self.record.status() in UNSAVED:  # perhaps since the last step
            return
        scores = self.reporter.final_scores
        if scores is None and self.data.valid:  # cut off between the last step and its telling of the end
            model = load_model(checkpoint.folder_of(self.folder, self.total_steps))
            scores = self.task.scores(model, list(range(len(self.data.valid))))
        files = results.leave_all(self.db, self.store, self.job, self.data.valid, scores or [])
        self.record.succeeded(self.total_steps, files, self.data.n_tokens * self.plan.n_epochs)


def _vocab_size(path: Path) -> int:
    """Read the vocabulary's size from the configuration at the bottom of a chain of adapters."""
    while (path / BASE_FILE).exists():
        path = Path(json.loads((path / BASE_FILE).read_text())["base"])
    config = json.loads((path / "config.json").read_text())
    return config.get("text_config", config)["vocab_size"]
