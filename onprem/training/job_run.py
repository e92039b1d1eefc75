"""One job from its claim to its end, or to the step where it was interrupted.

All that it tells goes through the store, under keys that a second telling repeats: it may be cut off at any
instant and run again.
"""

import fcntl
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PrinterCallback

from onprem.store import Database, DataFolder
from onprem.store import events as event_rows
from onprem.store import jobs as job_rows
from onprem.store import models as model_rows
from onprem.store.database import insert
from onprem.training import checkpoint, results
from onprem.training.data import Data, load_data
from onprem.training.evaluate import evaluate
from onprem.training.event_log import EventLog
from onprem.training.loading import BASE_FILE, load_model, load_tokenizer
from onprem.training.names import checkpoint_name, model_name
from onprem.training.plan import Plan
from onprem.training.reporter import Reporter
from onprem.training.trainers import supervised


class JobRun:
    """Trains one claimed job.

    Parameters
    ----------
    db, folder
        The store.
    job : dict
        The claimed job's row.
    shutdown : callable
        Whether the server is going down.
    """

    def __init__(self, db: Database, folder: DataFolder, job: dict, shutdown: Callable[[], bool]) -> None:
        self.db, self.store, self.job, self.shutdown = db, folder, job, shutdown
        self.folder = folder.job(job["id"])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.base = model_rows.get(db, job["tenant"], job["model"])
        if self.base is None:
            raise LookupError(f"the model {job['model']} is no longer registered")

    def run(self) -> None:
        """Train to the end, or until cancel, pause or shutdown."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a worker of a server that was just killed may still hold it
            self._run()

    def _run(self) -> None:
        tokenizer = load_tokenizer(Path(self.base["path"]))
        data = load_data(self.db, self.store, self.job, tokenizer)
        self.plan = Plan.of(self.job, self.base_config()["vocab_size"], data.longest)
        model = load_model(Path(self.base["path"]))
        trainer = supervised(self.plan, model, tokenizer, data.train, self.folder)
        per_epoch = math.ceil(data.n_rows(trainer) / self.plan.batch_size)
        self.total_steps = per_epoch * self.plan.n_epochs
        start = checkpoint.newest(self.folder, kept=set(range(0, self.total_steps + 1, per_epoch)))
        first = int(start.name.rpartition("-")[2]) if start else 0
        log = EventLog(self.db, self.job["id"])
        try:
            reporter = self._reporter(log, data, per_epoch, first, tokenizer.pad_token_id)
            trainer.remove_callback(PrinterCallback)  # it would print every step into the log
            trainer.add_callback(reporter)
            self._tell_start(first, data, reporter, trainer.model)
            if first < self.total_steps:
                trainer.train(resume_from_checkpoint=str(start) if start else None)
            else:  # all steps were done; the end was not told
                self._saved(first, True)
        finally:
            log.close()
        self._finish(reporter, data, trainer.model if first < self.total_steps else None, start)

    def base_config(self) -> dict:
        """Return the base model's configuration."""
        path = Path(self.base["path"])
        while (path / BASE_FILE).exists():
            path = Path(json.loads((path / BASE_FILE).read_text())["base"])
        return json.loads((path / "config.json").read_text())

    def _registered_steps(self) -> set[int]:
        return {
            row["step"] for row in self.db.all("select step from checkpoints where job = ?", self.job["id"])
        }

    def _reporter(self, log: EventLog, data: Data, per_epoch: int, first: int, pad: int) -> Reporter:
        nonfinite = 0
        for told in event_rows.metrics(self.db, self.job["id"], up_to=first):
            nonfinite = nonfinite + 1 if "nonfinite" in told else 0
        return Reporter(
            log, data.valid, steps_per_epoch=per_epoch, total_steps=self.total_steps,
            batch_size=self.plan.batch_size, seed=self.plan.seed, pad_token_id=pad,
            status=lambda: job_rows.status(self.db, self.job["id"]), shutdown=self.shutdown,
            saved=self._saved, nonfinite_run=nonfinite,
        )  # fmt: skip

    def _tell_start(self, first: int, data: Data, reporter: Reporter, model) -> None:
        with self.db.transaction() as connection:
            for key, text in data.warnings:
                event_rows.add_event(connection, self.job["id"], f"message:{key}", text, level="warn")
            if first:
                text = f"Going on from the checkpoint of step {first}"
                event_rows.add_event(connection, self.job["id"], f"message:resumed:{time.time_ns()}", text)
        if data.valid and first == 0 and not event_rows.metrics(self.db, self.job["id"], up_to=0):
            reporter.tell_base_loss(model)

    def _saved(self, step: int, ends_epoch: bool) -> None:
        """Seal the checkpoint that the Trainer has written, and register it where an epoch ended there."""
        folder = checkpoint.folder_of(self.folder, step)
        if self.plan.lora:
            (folder / BASE_FILE).write_text(json.dumps({"base": self.base["path"]}))
        checkpoint.seal(self.folder, step)
        if not ends_epoch:
            return
        name = checkpoint_name(self.job, step)
        told = event_rows.metrics(self.db, self.job["id"], up_to=step)[-1]
        row = {
            "id": f"ftckpt-{self.job['id'].partition('-')[2]}-{step}", "job": self.job["id"], "step": step,
            "created_at": int(time.time()), "model": name, "metrics": told,
        }  # fmt: skip
        with self.db.transaction() as connection:
            if insert(connection, "checkpoints", row, or_ignore=True):
                text = f"Checkpoint created at step {step}"
                event_rows.add_event(connection, self.job["id"], f"message:checkpoint:{step}", text)
                model_rows.add(connection, self._model_row(name, "checkpoint", step), or_ignore=True)

    def _model_row(self, name: str, kind: str, step: int) -> dict:
        inherited = {k: self.base[k] for k in ("n_params", "hidden_size", "context_length")}
        return {
            "name": name, "tenant": self.job["tenant"], "kind": kind, "base": self.job["model"],
            "path": str(checkpoint.folder_of(self.folder, step)), "job": self.job["id"], "step": step, **inherited,
        }  # fmt: skip

    def _finish(
        self, reporter: Reporter, data: Data, model: torch.nn.Module | None, start: Path | None
    ) -> None:
        if reporter.stopped == "diverged":
            job_rows.fail(self.db, self.job["id"], "diverged", DIVERGED.format(self.plan.learning_rate))
        if reporter.stopped:
            return
        scores = reporter.final_scores
        if data.valid and scores is None:  # cut off between the last step and its telling of the end
            model = load_model(checkpoint.folder_of(self.folder, self.total_steps))
            scores = evaluate(model, data.valid, reporter.pad_token_id)
        files = results.leave_all(self.db, self.store, self.job, data.valid, scores or [])
        self._succeed(files, data)
        checkpoint.drop_passing(self.folder, self._registered_steps())

    def _succeed(self, files: list[str], data: Data) -> None:
        name, job_id = model_name(self.job), self.job["id"]
        with self.db.transaction() as connection:
            row = connection.execute("select status from jobs where id = ?", (job_id,)).fetchone()
            if row["status"] in job_rows.TERMINAL:
                return  # cancelled after its last step
            model_rows.add(connection, self._model_row(name, "tuned", self.total_steps), or_ignore=True)
            event_rows.add_event(connection, job_id, "message:model", f"New fine-tuned model created: {name}")
            event_rows.add_event(
                connection, job_id, "message:succeeded", "The job has successfully completed"
            )
            job_rows.update(
                connection, job_id, status="succeeded", fine_tuned_model=name, result_files=files, worker=None,
                trained_tokens=data.n_tokens * self.plan.n_epochs, finished_at=int(time.time()), estimated_finish=None,
            )  # fmt: skip


DIVERGED = (
    "The loss became NaN or infinite and stayed so at a peak learning rate of {:.3g}. The events up to there are kept. "
    "Lower learning_rate_multiplier, to a third for a start, or use a larger batch_size."
)
