"""Optuna's trials and distributions in our nouns.

Knows their attributes and not the library: nothing of it is imported. Judges nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from advisor.nouns import Job, Knob, SearchSpace
from advisor.space_record import DEFAULT_SPACE

# The names by which studies call our knobs. Others are told by `knobs={"their name": "our knob"}`.
USUAL_NAMES = {
    "n_epochs": ("n_epochs", "epochs", "num_epochs", "num_train_epochs", "max_epochs"),
    "batch_size": ("batch_size", "train_batch_size", "per_device_train_batch_size"),
    "learning_rate_multiplier": ("learning_rate_multiplier", "lr_multiplier"),
    "learning_rate": ("learning_rate", "lr"),
}
STATUS = {"COMPLETE": "succeeded", "PRUNED": "cancelled", "FAIL": "failed"}
MOST_VALUES = 64  # a stepped distribution of more values is taken as a range


class Translator:
    """Optuna's trials and distributions in our nouns.

    Parameters
    ----------
    knobs
        Parameter name -> knob, for names that are not usual ones.
    fixed
        Knobs that the study does not tune, with their value.
    reports_per_epoch
        How many values a trial reports in an epoch: a step of `trial.report` is this part of an epoch.
    """

    def __init__(
        self,
        knobs: Mapping[str, str] | None = None,
        fixed: Mapping[str, float] | None = None,
        reports_per_epoch: float = 1,
    ):
        unknown = sorted({*(knobs or {}).values(), *(fixed or {})} - USUAL_NAMES.keys())
        if unknown:
            raise ValueError(f"unknown knobs {', '.join(unknown)}; expected some of {', '.join(USUAL_NAMES)}")
        if reports_per_epoch <= 0:
            raise ValueError(f"reports_per_epoch is {reports_per_epoch}; expected a number above 0")
        self.knob_of = {name: knob for knob, names in USUAL_NAMES.items() for name in names} | dict(
            knobs or {}
        )
        self.fixed = dict(fixed or {})
        self.reports_per_epoch = reports_per_epoch

    def knobs(self, distributions: Mapping[str, Any]) -> dict[str, Any]:
        """The distributions of our knobs among all."""
        return {n: d for n, d in distributions.items() if n in self.knob_of and not d.single()}

    def knows_length(self, distributions: Mapping[str, Any]) -> bool:
        """Whether a trial's epochs are known before it ends: as a parameter or as a fixed knob."""
        return "n_epochs" in {*self.fixed, *(self.knob_of.get(n) for n in distributions)}

    def past_the_end(self, job: Job) -> float:
        """How many times as far as its epochs a trial has reported: above 1 `reports_per_epoch` is too low."""
        if not len(job.full_valid) or not job.hyperparameters.n_epochs:
            return 0.0
        return float(job.full_valid.step.max()) / job.hyperparameters.n_epochs

    def space(self, distributions: Mapping[str, Any], jobs: Sequence[Job] = ()) -> SearchSpace:
        """The search space; a knob that the study does not tune keeps its fixed value, or what the jobs had."""
        limits = {self.knob_of[n]: as_knob(d, n) for n, d in distributions.items() if n in self.knob_of}
        rate = "learning_rate" if "learning_rate" in {*limits, *self.fixed} else "learning_rate_multiplier"
        usual = {"n_epochs": _longest(jobs), **_untuned({*limits, *self.fixed})}
        for knob, value in {**usual, **self.fixed}.items():
            limits.setdefault(knob, Knob(values=(value,)))
        return SearchSpace(limits["n_epochs"], limits["batch_size"], limits[rate], rate)

    def job(self, trial: Any, first_step: int, longest: float) -> Job:
        """A trial as a job whose steps are epochs; where these are not told it has as many as the `longest`."""
        knobs = {self.knob_of[n]: as_number(v) for n, v in trial.params.items() if n in self.knob_of}
        given = {knob: v for knob, v in knobs.items() if v is not None}
        reported = sorted(trial.intermediate_values.items())
        curve = [[self._epoch(step, first_step), float(loss)] for step, loss in reported]
        known = _untuned({*given, *self.fixed}) | self.fixed | given
        epochs = known.get("n_epochs")
        whole = bool(curve) and _is_number(epochs) and epochs >= curve[-1][0]
        status = STATUS.get(trial.state.name, "running")
        if trial.state.name == "COMPLETE" and trial.value is not None:
            end = curve.pop()[0] if curve else float(epochs or longest)
            curve.append([end, float(trial.value)])  # what the study counts is the value that it got
        return Job.from_record(
            {
                "id": f"trial {trial.number}",
                "status": status,
                "hyperparameters": {"n_epochs": longest} | known,
                "steps_per_epoch": 1,
                "total_steps": epochs
                if status == "running" and whole
                else None,  # of the others the end is known
                "full_valid_loss": curve,
            }
        )

    def jobs(self, trials: Iterable[Any], newest: Any = None) -> list[Job]:
        """Trials as jobs in their order, `newest` last; those that wait are left out."""
        skip = newest.number if newest else -1
        shown = [t for t in trials if t.number != skip and t.params and t.state.name != "WAITING"]
        shown += [newest] if newest else []
        steps = [s for t in shown for s in t.intermediate_values]
        first = min(1, *steps) if steps else 1
        longest = self._epoch(max(steps), first) if steps else DEFAULT_SPACE["n_epochs"]["min"]
        return [self.job(t, first, longest) for t in shown]

    def _epoch(self, step: int, first_step: int) -> float:
        return (step + 1 - first_step) / self.reports_per_epoch


def as_knob(distribution: Any, name: str = "a knob") -> Knob:
    """A distribution as the values or the range that a knob may take."""
    if hasattr(distribution, "choices"):
        bad = [c for c in distribution.choices if not (as_number(c) or 0) > 0]
        if bad:
            raise ValueError(f"{name} has the choices {bad}; expected positive numbers")
        return Knob(values=tuple(sorted({as_number(c) for c in distribution.choices})))
    low, high, step = distribution.low, distribution.high, getattr(distribution, "step", None)
    if low <= 0:
        raise ValueError(
            f"{name} ranges from {low}; expected a number above 0, for all knobs act by their ratio"
        )
    integer = isinstance(low, int)
    if step and step != 1 and (high - low) / step < MOST_VALUES:
        return Knob(
            values=tuple(low + k * step for k in range(int((high - low) / step + 1e-9) + 1)), integer=integer
        )
    return Knob(low=float(low), high=float(high), integer=integer)


def legal(value: float, distribution: Any) -> Any:
    """The value as the distribution takes it: a choice itself, a whole number, or one within the range."""
    if hasattr(distribution, "choices"):
        return min(distribution.choices, key=lambda c: abs(as_number(c) - value))
    low, step = distribution.low, getattr(distribution, "step", None)
    value = min(max(value, low), distribution.high)  # Optuna has trimmed `high` to the last step
    if step:
        value = low + round((value - low) / step) * step
    return round(value) if isinstance(low, int) else float(value)


def _untuned(tuned: set[str]) -> dict[str, float]:
    """Stand-ins for knobs that a study neither tunes nor fixes: the same in every trial, so any value will do."""
    rates = {"learning_rate", "learning_rate_multiplier"}
    return (
        {}
        | ({} if "batch_size" in tuned else {"batch_size": 8})
        | ({} if tuned & rates else {"learning_rate_multiplier": 1.0})
    )


def _longest(jobs: Sequence[Job]) -> float:
    return max(
        (float(j.full_valid.step.max()) for j in jobs if len(j.full_valid)),
        default=DEFAULT_SPACE["n_epochs"]["min"],
    )


def as_number(choice: Any) -> float | None:
    """A number, or one written as text, as studies that choose from strings have it; None for anything else."""
    if isinstance(choice, str):
        try:
            choice = float(choice)
        except ValueError:
            return None
        choice = int(choice) if choice.is_integer() else choice
    return choice if _is_number(choice) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
