"""Reads the Hugging Face Trainer's `trainer_state.json` (also that of a checkpoint folder), and its `log_history`.

Evaluations there are of the whole evaluation set. A resumed run repeats steps and its epoch may go back; both stay as
logged, for whoever judges the curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.decay import peak_rate
from tracker.readers.dialects import HUGGING_FACE
from tracker.readers.ending import unfinished
from tracker.readers.eval_sets import set_names
from tracker.readers.mlflow_keys import read_metrics
from tracker.readers.source import NotThisFormat, ReadError, Source
from tracker.readers.values import Point, finite, make_record, number, whole

NAME = "Hugging Face trainer_state.json"
# Planned and implied epochs may differ by rounding; more than this, and max_steps cut the run short.
EPOCH_TOLERANCE = 0.02
ROUNDED = 0.05  # by which rates of a summary may be off: they have three digits after the point


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a `trainer_state.json` tells, as one job record."""
    state = source.json
    if not isinstance(state, Mapping) or not isinstance(state.get("log_history"), Sequence):
        raise NotThisFormat("has no log_history")
    settings = settings_beside(source.folder)
    return [record_of_rows(source.name, [*_rows(state), *_summary_above(source)], state, settings)]


def _rows(state: Any) -> list[Mapping[str, Any]]:
    history = state.get("log_history") if isinstance(state, Mapping) else None
    return [row for row in history or () if isinstance(row, Mapping)]


def _summary_above(source: Source) -> list[Mapping[str, Any]]:
    """The row that sums a whole run up, which a checkpoint's own log has not: it tells the batch over all devices."""
    state = source.folder / "trainer_state.json"
    if source.path.resolve().parent == source.folder or not state.is_file():
        return []
    try:
        rows = _rows(Source.open(state).json)
    except (NotThisFormat, ReadError):
        return []
    return [row for row in rows if row.get("train_samples_per_second")]


def remark(source: Source, record: dict[str, Any]) -> str | None:
    """What is told of a log that ends before its last step."""
    told = unfinished(record)
    return told and f" {told}"


def record_of_rows(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    state: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A record out of the Trainer's log rows.

    Parameters
    ----------
    name
        The record's id.
    rows
        Log rows with `step` or `epoch` and any of `loss`, `eval_loss`, `learning_rate`.
    state
        `max_steps`, `num_train_epochs`, `global_step` and so on, as the Trainer's state has them.
    settings
        Record fields known from elsewhere; what the log itself says is used only where these are silent.
    """
    state, settings = state or {}, dict(settings or {})
    per_epoch = _steps_per_epoch(rows, state)
    metrics = _by_key(rows, per_epoch)
    series = read_metrics(metrics, HUGGING_FACE)
    if not series.get("train_loss") and not series.get("full_valid_loss"):
        raise NotThisFormat("has no loss in its log")
    total = finite(state.get("max_steps"))
    total = total if total and total > 0 else None
    sizes = _sizes(rows, state, per_epoch)
    knobs = {
        "n_epochs": _epochs(state, total, per_epoch),
        "learning_rate": _rate(rows, total, per_epoch),
    } | sizes.pop("knobs")
    knobs |= settings.pop("hyperparameters", {})
    done = _stopped(state) or (total is not None and (finite(state.get("global_step")) or 0) >= total)
    fields = {
        "status": "succeeded" if done else None,
        "steps_per_epoch": per_epoch if per_epoch is not None else 1.0,
        "total_steps": total,
        "logger": HUGGING_FACE.name,
        "valid_sets": set_names(metrics),
        "trained_tokens": whole(state.get("num_input_tokens_seen")) or None,
    }
    return make_record(name, series, knobs, **(fields | sizes | settings))


def _stopped(state: Mapping[str, Any]) -> bool:
    """Whether the Trainer had been told to stop when it wrote its state: early, or at the end."""
    control = state.get("stateful_callbacks")
    for key in ("TrainerControl", "args", "should_training_stop"):
        control = control.get(key) if isinstance(control, Mapping) else None
    return control is True


def _by_key(rows: Sequence[Mapping[str, Any]], per_epoch: float | None) -> dict[str, list[Point]]:
    """Points by key; a row without a step gets one from its epoch (or its epoch, where no step is known)."""
    out: dict[str, list[Point]] = {}
    for row in rows:
        step = _step(row, per_epoch)
        for key, value in row.items():
            value = number(value)
            if step is not None and value is not None:
                out.setdefault(key, []).append((step, value))
    return out


def _step(row: Mapping[str, Any], per_epoch: float | None) -> float | None:
    step, epoch = finite(row.get("step")), finite(row.get("epoch"))
    if step is None and epoch is not None:
        return round(epoch * per_epoch) if per_epoch else epoch
    return step


def _steps_per_epoch(rows: Sequence[Mapping[str, Any]], state: Mapping[str, Any]) -> float | None:
    """From the farthest row, where rounding weighs least; else from what was planned; None where no step is known."""
    seen = [
        (finite(r.get("step")), finite(r.get("epoch")))
        for r in (*rows, {**state, "step": state.get("global_step")})
    ]
    pairs = [(s, e) for s, e in seen if s and e and s > 0 and e > 0]
    total, epochs = finite(state.get("max_steps")), finite(state.get("num_train_epochs"))
    planned = total / epochs if total and epochs and total > 0 and epochs > 0 else None
    if not pairs:
        return planned
    step, epoch = max(pairs)
    ratio = step / epoch
    near = planned is not None and abs(ratio / planned - 1) < EPOCH_TOLERANCE
    return planned if near else ratio


def _epochs(state: Mapping[str, Any], total: float | None, per_epoch: float | None) -> float | None:
    """Planned epochs: the Trainer rounds them up, so max_steps over steps per epoch is truer where they differ."""
    planned = finite(state.get("num_train_epochs"))
    if total is None or not per_epoch:
        return planned
    implied = total / per_epoch
    return planned if planned and abs(implied / planned - 1) < EPOCH_TOLERANCE else round(implied, 3)


def _rate(rows: Sequence[Mapping[str, Any]], total: float | None, per_epoch: float | None) -> float | None:
    """The learning rate that was set, as far as the logged ones tell it."""
    logged = [(_step(row, per_epoch), finite(row.get("learning_rate"))) for row in rows]
    return peak_rate([(step or 0.0, rate) for step, rate in logged if rate is not None], total)


def _sizes(
    rows: Sequence[Mapping[str, Any]], state: Mapping[str, Any], per_epoch: float | None
) -> dict[str, Any]:
    """Batch and number of examples from the summary row's rates; the batch alone per device where there is none."""
    device = finite(state.get("train_batch_size"))
    device = device if device and device > 0 else None
    for row in reversed(rows):
        values = [
            finite(row.get(f"train_{k}")) for k in ("samples_per_second", "steps_per_second", "runtime")
        ]
        if all(v and v > 0 for v in values):
            samples, steps, runtime = values
            unit = device or 1.0  # accumulation and further devices multiply the device's batch
            batch = unit * max(1, round(samples / steps / unit))
            epochs = _summed_up(steps * runtime / per_epoch if per_epoch else None, state, row)
            count = round(samples * runtime / epochs) if epochs else None
            return {"knobs": {"batch_size": batch}, "n_train_examples": count}
    return {"knobs": {"batch_size": device}}


def _summed_up(epochs: float | None, state: Mapping[str, Any], row: Mapping[str, Any]) -> float | None:
    """The epochs that the summary's rates are of, `epochs` by these rates, which are rounded: those planned, as all
    versions had it until transformers 5, or those that were run.
    """
    known = [e for e in (finite(state.get("num_train_epochs")), finite(row.get("epoch"))) if e and e > 0]
    if not epochs or not known:
        return next(iter(known), None)
    nearest = min(known, key=lambda e: abs(math.log(e / epochs)))
    return nearest if abs(nearest / epochs - 1) <= ROUNDED else epochs
