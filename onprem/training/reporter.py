"""The trainer callback: tells each step, evaluates, asks for checkpoints, and heeds cancel, pause and shutdown.

One event tells all about one step, and is queued before the step's checkpoint is written. Where several processes train
a job, each of them evaluates: a model that is shared out among them (FSDP) can be run by none alone. The first tells.
"""

import math
import random
import time
from collections.abc import Callable

from transformers import TrainerCallback

from onprem.training import figures, ranks
from onprem.training.evaluate import Score, total
from onprem.training.event_log import EventLog
from onprem.training.job_record import JobRecord
from onprem.training.tasks import SupervisedTask

NONFINITE_STEPS = 3  # in a row: weights that hold a NaN never lose it, so more would only burn time
VALID_EVERY, MIN_LOOKS = 10, 5  # steps between looks at a validation batch; at least so many looks in a job


UNSAVED = ("cancelled", "failed", "lost", "diverged")  # endings that no one will go on from


class Reporter(TrainerCallback):
    """Tells of one job's training.

    Parameters
    ----------
    log : EventLog
        Where events go.
    task : SupervisedTask
        How the validation set is scored, and what the figures are called.
    record : JobRecord
        Knows the job's status; anything but ``running`` stops the training. Seals checkpoints.
    steps_per_epoch, total_steps, n_valid : int
        Of the job; `n_valid` may be 0.
    shutdown : callable
        Whether the server is going down.
    nonfinite_run : int
        Non-finite losses in a row before the step to go on from.
    owes_base_loss : bool
        Whether the loss before training is still to be told.
    """

    def __init__(
        self,
        log: EventLog,
        task: SupervisedTask,
        record: JobRecord,
        *,
        steps_per_epoch: int,
        total_steps: int,
        n_valid: int,
        shutdown: Callable[[], bool],
        nonfinite_run: int = 0,
        owes_base_loss: bool = False,
    ) -> None:
        self.log, self.task, self.record, self.shutdown = log, task, record, shutdown
        self.steps_per_epoch, self.total_steps, self.nonfinite_run = (
            steps_per_epoch,
            total_steps,
            nonfinite_run,
        )
        self.order = random.Random(task.plan.seed).sample(range(n_valid), n_valid)
        self.every = max(1, min(VALID_EVERY, total_steps // MIN_LOOKS))
        self.stopped: str | None = None  # why training ended early: a status, "shutdown" or "diverged"
        self.final_scores: list[Score] | None = None
        self.started: tuple[float, int] | None = None
        self.owes_base_loss = owes_base_loss and n_valid > 0

    def on_train_begin(self, args, state, control, model=None, **kwargs) -> None:
        """Tell the loss before training: only now the model is on its GPUs, shared out where it is to be.

        Then note when and where training starts, for the estimate of its end.
        """
        if self.owes_base_loss:
            self._tell_base_loss(model)
        self.started = time.monotonic(), state.global_step

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Decide whether to save and whether to stop."""
        if ranks.is_first():
            self.stopped = self.stopped or ("shutdown" if self.shutdown() else self._unwanted())
        self.stopped = ranks.agree(self.stopped)
        if self.stopped:
            control.should_training_stop = True
        passing = self.stopped is not None and self.stopped not in UNSAVED
        control.should_save = self.stopped not in UNSAVED and (passing or self._ends_epoch(state.global_step))

    def on_log(self, args, state, control, logs=None, model=None, **kwargs) -> None:
        """Tell the step; the Trainer calls this before it saves."""
        state.log_history.clear()  # else every checkpoint holds all steps so far; the store has them
        if logs is None or "loss" not in logs or self.stopped in UNSAVED:
            return
        step = state.global_step
        told = {"step": step, "total_steps": self.total_steps, "train_loss": float(logs["loss"])}
        told |= {ours: logs[theirs] for theirs, ours in self.task.train_figures.items() if theirs in logs}
        if self.order and step % self.every == 0:
            told |= self._validation_batch(model, step)
        if self.order and self._ends_epoch(step):
            full = self._full_validation(model, step)
            if full is None:
                return
            told |= full
        if ranks.is_first():
            self._tell(told)
            self._watch_divergence(told, control)

    def on_save(self, args, state, control, **kwargs) -> None:
        """Let the job seal its checkpoint, once all events up to it are on the disk."""
        ranks.wait()  # each process writes its part
        if not ranks.is_first() or self._unwanted() in UNSAVED:
            return
        self.log.flush()
        self.record.saved(state.global_step, self._ends_epoch(state.global_step))

    def _tell_base_loss(self, model) -> None:
        """Tell an event at step 0 with the full validation loss alone."""
        full = self._full_validation(model, 0)
        if full is not None and ranks.is_first():
            self._tell({"step": 0, "total_steps": self.total_steps, **full})

    def _ends_epoch(self, step: int) -> bool:
        return step % self.steps_per_epoch == 0

    def _unwanted(self) -> str | None:
        status = self.record.status()
        return None if status == "running" else status

    def _ended(self) -> bool:
        """Tell whether the job was ended meanwhile; all processes learn of it at once."""
        return ranks.agree(ranks.is_first() and self._unwanted() in UNSAVED)

    def _validation_batch(self, model, step: int) -> dict:
        size, n = min(self.task.plan.batch_size, len(self.order)), len(self.order)
        start = (step // self.every - 1) * size
        score = total(self.task.scores(model, [self.order[(start + i) % n] for i in range(size)]))
        return {"valid_loss": score.loss, f"valid_{self.task.accuracy}": score.accuracy}

    def _full_validation(self, model, step: int) -> dict | None:
        """Return the figures, or None where the job was ended meanwhile: the rows scored till then are no whole."""
        everything = list(range(len(self.order)))
        scores = self.task.scores(model, everything, stop=self._ended)
        if self._ended():
            return None
        self.final_scores = scores if step == self.total_steps else None
        score = total(scores)
        told = {"full_valid_loss": score.loss}
        return told | ({f"full_valid_{self.task.accuracy}": score.accuracy} if step else {})

    def _watch_divergence(self, told: dict, control) -> None:
        finite = all(math.isfinite(told.get(name, 0.0)) for name in ("train_loss", "full_valid_loss"))
        self.nonfinite_run = 0 if finite else self.nonfinite_run + 1
        if self.nonfinite_run >= NONFINITE_STEPS or (self.nonfinite_run and told["step"] == self.total_steps):
            self.stopped = "diverged"
            if ranks.world_size() == 1:  # else all processes learn of it together, at the next step
                control.should_training_stop, control.should_save = True, False

    def _tell(self, told: dict) -> None:
        data = figures.wire(told)
        self.log.put(figures.message(data), data, self._estimated_finish(told["step"]))

    def _estimated_finish(self, step: int) -> int | None:
        if self.started is None or step <= self.started[1]:
            return None
        seconds_per_step = (time.monotonic() - self.started[0]) / (step - self.started[1])
        return int(time.time() + seconds_per_step * (self.total_steps - step))
