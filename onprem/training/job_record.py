"""What a running job writes to the store; each thing once, however often a crash makes it be told."""

import json
import math
import time
from pathlib import Path

from onprem.store import Database
from onprem.store import events as event_rows
from onprem.store import jobs as job_rows
from onprem.store import models as model_rows
from onprem.store.database import insert
from onprem.training import checkpoint
from onprem.training.errors import JobError
from onprem.training.loading import BASE_FILE
from onprem.training.names import checkpoint_name, model_name

DIVERGED = (
    "The loss became NaN or infinite and stayed so at a peak learning rate of {:.3g}. The events up to there are kept. "
    "Lower learning_rate_multiplier, to a third for a start, or use a larger batch_size."
)
DESTROYED = (
    "Training destroyed the model at a peak learning rate of {:.3g}: of its own training rows it knows no more than a "
    "guess, or it gives no finite numbers. The events are kept. Lower learning_rate_multiplier, to a third for a start."
)


NO_WEIGHTS = (
    "The launcher's FSDP settings save no whole model. The server's operator must set fsdp_state_dict_type to "
    "FULL_STATE_DICT."
)


class JobRecord:
    """One job's rows.

    Parameters
    ----------
    db : Database
        The store.
    job : dict
        The claimed job's row.
    base : dict
        The row of the model that is trained.
    folder : pathlib.Path
        The job's folder.
    """

    def __init__(self, db: Database, job: dict, base: dict, folder: Path) -> None:
        self.db, self.job, self.base, self.folder = db, job, base, folder

    def status(self) -> str:
        """Return the job's status in the store; ``lost`` where another worker has taken it over."""
        return job_rows.status(self.db, self.job["id"], self.job["worker"])

    def started(self, warnings: list[tuple[str, str]], first: int) -> None:
        """Tell what was cut off the data, and from where the job goes on."""
        with self.db.transaction() as connection:
            for key, text in warnings:
                event_rows.add_event(connection, self.job["id"], f"message:{key}", text, level="warn")
            if first:
                text = f"Going on from the checkpoint of step {first}"
                event_rows.add_event(connection, self.job["id"], f"message:resumed:{time.time_ns()}", text)

    def base_loss_told(self) -> bool:
        """Tell whether the event of step 0 is there."""
        return event_rows.at_step(self.db, self.job["id"], 0) is not None

    def nonfinite_run(self, step: int) -> int:
        """Count the non-finite losses in a row up to `step`."""
        run = 0
        for told in event_rows.metrics(self.db, self.job["id"], up_to=step):
            run = run + 1 if "nonfinite" in told else 0
        return run

    def saved(self, step: int, ends_epoch: bool) -> None:
        """Seal the checkpoint that the Trainer has written, and register it where an epoch ended there.

        Raises
        ------
        JobError
            If it holds no weights in safetensors, as where FSDP was told to save each process's part alone.
        """
        written = checkpoint.folder_of(self.folder, step)
        if not any(written.glob("*.safetensors")):
            raise JobError("model", NO_WEIGHTS, code="launch_failed")
        if (written / "adapter_config.json").exists():
            (written / BASE_FILE).write_text(json.dumps({"base": self.base["path"]}))
        checkpoint.seal(self.folder, step)
        if ends_epoch:
            self._register(step)

    def _register(self, step: int) -> None:
        name, job_id = checkpoint_name(self.job, step), self.job["id"]
        row = {
            "id": f"ftckpt-{job_id.partition('-')[2]}-{step}",
            "job": job_id,
            "step": step,
            "created_at": int(time.time()),
            "model": name,
            "metrics": event_rows.at_step(self.db, job_id, step),
        }
        with self.db.transaction() as connection:
            if not job_rows.holds(connection, job_id, self.job["worker"]):
                return
            if insert(connection, "checkpoints", row, or_ignore=True):
                text = f"Checkpoint created at step {step}"
                event_rows.add_event(connection, job_id, f"message:checkpoint:{step}", text)
                model_rows.add(connection, self._model_row(name, "checkpoint", step), or_ignore=True)

    def first_loss(self) -> float:
        """Return the finite training loss that was told of step 1, else infinity."""
        told = event_rows.at_step(self.db, self.job["id"], 1) or {}
        return math.inf if told.get("train_loss") is None else told["train_loss"]

    def diverged(self, learning_rate: float, destroyed: bool = False) -> None:
        """End the job as failed: its loss stayed non-finite, or its model was destroyed by the last steps."""
        text = (DESTROYED if destroyed else DIVERGED).format(learning_rate)
        job_rows.fail(self.db, self.job["id"], "diverged", text, holder=self.job["worker"])

    def succeeded(self, step: int, files: list[str], trained_tokens: int) -> None:
        """End the job as succeeded, with its model, unless it was cancelled or lost after its last step."""
        name, job_id = model_name(self.job), self.job["id"]
        with self.db.transaction() as connection:
            row = connection.execute("select status from jobs where id = ?", (job_id,)).fetchone()
            if row["status"] in job_rows.TERMINAL or not job_rows.holds(
                connection, job_id, self.job["worker"]
            ):
                return
            model_rows.add(connection, self._model_row(name, "tuned", step), or_ignore=True)
            event_rows.add_event(connection, job_id, "message:model", f"New fine-tuned model created: {name}")
            event_rows.add_event(
                connection, job_id, "message:succeeded", "The job has successfully completed"
            )
            ended = {"finished_at": int(time.time()), "estimated_finish": None, "worker": None}
            job_rows.update(
                connection, job_id, status="succeeded", fine_tuned_model=name, result_files=files,
                trained_tokens=trained_tokens, **ended,
            )  # fmt: skip

    def _model_row(self, name: str, kind: str, step: int) -> dict:
        inherited = {k: self.base[k] for k in ("n_params", "hidden_size", "context_length")}
        path = str(checkpoint.folder_of(self.folder, step))
        return {
            "name": name, "tenant": self.job["tenant"], "kind": kind, "base": self.job["model"],
            "path": path, "job": self.job["id"], "step": step, **inherited,
        }  # fmt: skip
