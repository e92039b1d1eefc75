"""Whether a model survives its training: what it knows of some of its training rows, before and after.

The losses of the steps cannot tell: the last update comes after them. A validation set cannot either: a model that
overfits may be worse than a guess on it, and knows its training rows.
"""

import math

from transformers import TrainerCallback

from onprem.training.errors import JobError
from onprem.training.tasks import SupervisedTask

ROWS = 16  # scored once before and once after: the same, so that nothing but the training lies between
KNOWS = 1.0  # nats better than a guess: what a model must know before it can be said to have lost it
NEAR = 0.99  # of a guess's loss: a model whose layers are dead guesses exactly, but for rounding
BROKEN_BASE = (
    "The model gives no finite numbers: its weights are broken, perhaps by training at far too high a learning rate. "
    "Take another."
)


class Survival(TrainerCallback):
    """Compares the model after the last step with the one before the first; each process does so.

    Parameters
    ----------
    task : SupervisedTask
        Scores rows.
    first_loss : float
        The training loss that was told of the first step, where the job goes on from a later one; else infinite.
    """

    def __init__(self, task: SupervisedTask, first_loss: float = math.inf) -> None:
        self.task, self.before = task, first_loss
        rows = [i for i, row in enumerate(task.data.train) if row.n_trained]
        self.picked = rows[:: max(1, len(rows) // ROWS)][:ROWS]
        self.lost = False

    def on_train_begin(self, args, state, control, model=None, **kwargs) -> None:
        """Note what the model knows."""
        loss = self.task.training_loss(model, self.picked)
        if state.global_step == 0 and not math.isfinite(loss):
            raise JobError("model", BROKEN_BASE, code="model_not_available")
        self.before = min(self.before, loss)

    def on_log(self, args, state, control, model=None, **kwargs) -> None:
        """Judge the model after the last step, before it is saved."""
        if state.global_step < state.max_steps or self.lost:
            return
        after, guess = self.task.training_loss(model, self.picked), self.task.guess(model)
        self.lost = not math.isfinite(after) or self.before + KNOWS < guess * NEAR <= after
        control.should_save = control.should_save and not self.lost
