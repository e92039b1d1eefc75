"""A callback for the Trainer of `transformers`: says what the curves show while the model trains.

    trainer.add_callback(AdvisorCallback())

Knows the Trainer's logs and our nouns; judges nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from advisor.nouns import Advice, Curve, HyperParameters, Job

try:
    from transformers import TrainerCallback
except ImportError as missing:  # pragma: no cover - the extra is installed where tests run
    raise ImportError("advisor.callback needs transformers: pip install transformers") from missing


class AdvisorCallback(TrainerCallback):
    """Prints a line when the diagnosis of the running job changes, and the whole advice at its end.

    Parameters
    ----------
    history
        Earlier jobs on the same data, as nouns or records, oldest first: the advice rests on all of them.
    stop
        End the training where the advisor says that the job will not beat what is known.
    loss_key
        The Trainer's name of the validation loss.
    say
        Where the words go; default `print`.
    """

    def __init__(
        self,
        history: Sequence[Job | Mapping[str, Any]] = (),
        *,
        stop: bool = False,
        loss_key: str = "eval_loss",
        say: Callable[[str], None] = print,
    ):
        self.history = [j if isinstance(j, Job) else Job.from_record(j) for j in history]
        self.stop, self.loss_key, self.say = stop, loss_key, say
        self.advice: Advice | None = None  # the newest one
        self._train: list[tuple[float, float]] = []
        self._valid: list[tuple[float, float]] = []
        self._told: tuple[str, bool] | None = None
        self._n_examples: int | None = None
        self._others: set[str] = set()  # losses of evaluations under other names

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """A second `train()` of the same Trainer is a job of its own; one resumed from a checkpoint goes on."""
        self._told, seen = None, [log for log in state.log_history if log["step"] <= state.global_step]
        self._train = [(log["step"], float(log["loss"])) for log in seen if "loss" in log]
        self._valid = [(log["step"], float(log[self.loss_key])) for log in seen if self.loss_key in log]
        self._n_examples = _length(kwargs.get("train_dataloader"))

    def on_log(self, args, state, control, logs: Mapping[str, Any] | None = None, **kwargs) -> None:
        logs = logs or {}
        if "loss" in logs:
            self._train.append((state.global_step, float(logs["loss"])))
        self._others |= {k for k in logs if k.startswith("eval_") and k.endswith("_loss")}
        if self.loss_key in logs:
            self._valid.append((state.global_step, float(logs[self.loss_key])))
            with self._harmless():
                self._judge(args, state, control)

    def on_train_end(self, args, state, control, **kwargs) -> None:
        if not state.is_world_process_zero:
            return
        with self._harmless():
            if self._others and not self._valid:
                names = ", ".join(sorted(self._others))
                self.say(
                    f"advisor: no {self.loss_key} was logged, but {names}; loss_key names the one to judge by"
                )
            if self._train or self._valid:
                self._tell_all(args, state)
            else:
                told = f"no loss was logged in {state.global_step} steps, so there is no advice"
                self.say(f"advisor: {told}; logging_steps is {args.logging_steps:g}")

    def job(self, args: Any, state: Any, status: str) -> Job:
        """The training so far as a job; an epoch is an evaluation of the whole validation set."""
        per_epoch = state.global_step / state.epoch if state.epoch else None
        epochs = state.max_steps / per_epoch if per_epoch and state.max_steps > 0 else args.num_train_epochs
        base = next((loss for step, loss in self._valid if step == 0), None)
        return Job(
            id=getattr(args, "run_name", None) or "this training",
            status=status,
            hyperparameters=HyperParameters(
                n_epochs=_whole(epochs),
                batch_size=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
                learning_rate=float(args.learning_rate),
            ),
            n_train_examples=self._n_examples,
            base_valid_loss=base,
            train=_curve(self._train),
            full_valid=_curve([p for p in self._valid if p[0] > 0]),
            steps_per_epoch=per_epoch,
            total_steps=float(state.max_steps) if state.max_steps > 0 else None,
            lr_schedule=str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)),
        )

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Nothing that goes wrong with advice may cost the training that it is about."""
        try:
            yield
        except Exception as error:
            with suppress(Exception):  # `say` may be what fails
                self.say(f"advisor: no advice here ({type(error).__name__}: {error})")

    def _tell_all(self, args: Any, state: Any) -> None:
        from advisor import advise
        from advisor.tell import text

        whole = state.max_steps <= 0 or state.global_step >= state.max_steps
        jobs = [*self.history, self.job(args, state, "succeeded" if whole else "cancelled")]
        self.advice = advise(jobs)
        self.say(text(self.advice, jobs, paste=lambda setting, job: self._arguments(setting, args)))

    def _arguments(self, setting: HyperParameters, args: Any) -> str:
        from advisor.tell.command import trainer_line

        devices = args.world_size * max(1, args.n_gpu)
        return trainer_line(setting, args.per_device_train_batch_size, devices, steps_rule=args.max_steps > 0)

    def _judge(self, args: Any, state: Any, control: Any) -> None:
        """The diagnosis of the running job, told where it is another one than before."""
        from advisor.diagnosis import diagnose
        from advisor.live import judge
        from advisor.measure import measure
        from advisor.tell.live_line import live_line

        job = self.job(args, state, "running")
        diagnosis, live = diagnose(measure(job, self.history)), judge([*self.history, job])
        if self._told != (diagnosis.label, live.stop_now) and state.is_world_process_zero:
            self.say(live_line(job, diagnosis, live))
        self._told = (diagnosis.label, live.stop_now)
        if live.stop_now and self.stop:
            control.should_training_stop = True


def _length(dataloader: Any) -> int | None:
    """How many examples an epoch has; None of a stream, which does not say."""
    try:
        return len(dataloader.dataset) or None
    except (AttributeError, TypeError):
        return None


def _curve(points: Sequence[tuple[float, float]]) -> Curve:
    import numpy as np

    table = np.array(points, dtype=float).reshape(-1, 2)
    return Curve(table[:, 0], table[:, 1])


def _whole(value: float) -> int | float:
    return round(value) if abs(value - round(value)) < 1e-3 else float(value)
