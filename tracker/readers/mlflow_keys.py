"""Maps what a logger wrote to the job record's fields: series by its keys, settings by its params. Pure.

Knows nothing of MLflow itself: it is given metrics and params as plain dicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.readers.dialects import EPOCH_KEYS, HUGGING_FACE, Dialect, dialect_of
from tracker.readers.eval_sets import MEASURES, mean_over_sets, set_names
from tracker.readers.setting_keys import read_settings
from tracker.readers.values import Point, finite, make_record


def read_metrics(
    metrics: Mapping[str, Sequence[Point]], dialect: Dialect | None = None
) -> dict[str, list[Point]]:
    """Series by record field out of series by a logger's keys.

    Parameters
    ----------
    metrics
        Points `(step, value)` by key, in any order.
    dialect
        Whose keys they are; guessed from the keys where not given.

    Returns
    -------
    dict
        Points by record field, counted from 1 as the providers do; empty where no key is known.
    """
    present = {key: series for key, series in metrics.items() if series}
    dialect = dialect or dialect_of(set(present))
    if dialect is None:
        return {}
    found = {
        field: present[key]
        for field, keys in dialect.series.items()
        if (key := next((k for k in keys if k in present), None)) is not None
    }
    if dialect is HUGGING_FACE:
        means = {field: mean_over_sets(present, field) for field in MEASURES}
        found |= {field: points for field, points in means.items() if points}
    if dialect.first_step == 1 or (not dialect.epochwise and _from_one(found)):
        return {field: list(series) for field, series in found.items()}
    return {field: _moved(series, is_eval="valid" in field) for field, series in found.items()}


def _from_one(series: Mapping[str, Sequence[Point]]) -> bool:
    """Whether steps are whole times the first: 50, 100, 150 are counted from 1, and from 0 they are 49, 99, 149."""
    logged = [[step for step, _ in points] for points in series.values()]
    if min((step for steps in logged for step in steps), default=0) <= 0:
        return False
    steps = [step for step, _ in series.get("full_valid_loss") or series.get("train_loss") or ()]
    return len(steps) > 1 and all(step % steps[0] == 0 for step in steps)


def _moved(series: Sequence[Point], *, is_eval: bool) -> list[Point]:
    """Counted from 1 what was counted from 0."""
    return [
        (0.0 if is_eval and i == 0 and _before_training(series) else s + 1, v)
        for i, (s, v) in enumerate(series)
    ]


def _before_training(series: Sequence[Point]) -> bool:
    """Whether the first evaluation, at step 0 of a logger that counts from 0, stands before any training.

    After the first step it would be followed by one after the second; a gap says that it was made beforehand.
    """
    return len(series) > 1 and series[0][0] == 0 and series[1][0] > 1


def steps_per_epoch(metrics: Mapping[str, Sequence[Point]], dialect: Dialect | None = None) -> float | None:
    """Optimiser steps in one epoch, from the logged `epoch`; 1 where steps are epochs, None where it cannot be told."""
    dialect = dialect or dialect_of({k for k, s in metrics.items() if s})
    if dialect is None:
        return None
    if dialect.epochwise:
        return 1.0
    epochs = _epochs(metrics)
    if dialect.first_step == 0:
        return _by_last_steps(epochs)
    ratios = [step / epoch for step, epoch in epochs if epoch > 0 and step > 0]
    return ratios[-1] if ratios else None


def _epochs(metrics: Mapping[str, Sequence[Point]]) -> Sequence[Point]:
    return next((metrics[key] for key in EPOCH_KEYS if metrics.get(key)), ())


def _by_last_steps(epochs: Sequence[Point]) -> float | None:
    """From the index of the epoch at each step, both from 0: the steps of all whole epochs over their number."""
    last: dict[float, float] = {}
    for step, epoch in epochs:
        last[epoch] = max(step + 1, last.get(epoch, 0))
    if len(last) < 2:
        return None
    epoch = sorted(last)[-2]  # the last one may have been cut short
    return last[epoch] / (epoch + 1) if epoch >= 0 else None


def epochs_run(metrics: Mapping[str, Sequence[Point]], dialect: Dialect) -> float | None:
    """Epochs that a logger counted which writes their index and not how many were planned; None for the others."""
    if dialect.epochwise:
        return max(
            (
                step + 1
                for keys in dialect.series.values()
                for key in keys
                for step, _ in metrics.get(key, ())
            ),
            default=None,
        )
    epochs = _epochs(metrics) if dialect.first_step == 0 else ()
    trained = {s for keys in dialect.series.values() for key in keys for s, _ in metrics.get(key, ())}
    fitted = [epoch for step, epoch in epochs if step in trained]  # a test after fitting tells the next one
    return max((epoch + 1 for epoch in fitted or [e for _, e in epochs]), default=None)


def record_of_run(
    name: str, metrics: Mapping[str, Sequence[Point]], params: Mapping[str, Any], **fields: Any
) -> dict[str, Any]:
    """A job record out of any logger's run: its metrics' points by key and its params.

    Parameters
    ----------
    name
        The record's id.
    metrics
        Points `(step, value)` by the logger's key.
    params
        Settings by the logger's name.
    fields
        Record fields known otherwise (status, created_at, ...); they win.
    """
    dialect = dialect_of({key for key, series in metrics.items() if series})
    settings = read_settings(params)
    fields = {"steps_per_epoch": steps_per_epoch(metrics, dialect)} | settings | fields
    knobs = {"n_epochs": epochs_run(metrics, dialect) if dialect else None} | fields.pop("hyperparameters")
    if dialect is HUGGING_FACE and (epochs := _epochs_of(finite(params.get("max_steps")), fields)):
        knobs["n_epochs"] = epochs
    fields["logger"] = dialect.name if dialect else None
    fields["valid_sets"] = set_names(metrics) if dialect is HUGGING_FACE else None
    return make_record(name, read_metrics(metrics, dialect), knobs, **fields)


def _epochs_of(max_steps: float | None, fields: Mapping[str, Any]) -> float | None:
    """Epochs that `max_steps` make, which overrules them at Hugging Face's Trainer; None where it is not set (-1)."""
    per_epoch = fields.get("steps_per_epoch")
    return round(max_steps / per_epoch, 3) if max_steps and max_steps > 0 and per_epoch else None
