"""Reads the CSV files that Weights & Biases exports: a run's history, or a panel's lines of several runs.

A history has `_step` and one column per key. A panel has `Step` (or another x axis) and `<run> - <key>` per run, with
`__MIN` and `__MAX` beside each. W&B's own step counts log calls; the optimiser's step is used where it was logged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from tracker.readers.decay import peak_rate
from tracker.readers.dialects import HUGGING_FACE, dialect_of
from tracker.readers.eval_sets import set_names
from tracker.readers.mlflow_keys import read_metrics, steps_per_epoch
from tracker.readers.source import NotThisFormat, Source, Table
from tracker.readers.values import Point, finite, make_record, points, tidy

NAME = "Weights & Biases export CSV"
# The optimiser's own step where it was logged; W&B's counts log calls.
STEP_COLUMNS = ("train/global_step", "trainer/global_step", "global_step", "_step", "Step")
EPOCH_COLUMNS = ("train/epoch", "epoch")  # a panel's x axis, where somebody chose it
BANDS = ("__MIN", "__MAX")
SEPARATOR = " - "


def read(source: Source) -> list[dict[str, Any]]:
    """The runs of an exported file, one job record each."""
    names = source.columns
    panel = _panel_runs(names)
    axis = next((c for c in STEP_COLUMNS + (EPOCH_COLUMNS if panel else ()) if c in names), None)
    if axis is None or not (panel or {"_step", "train/global_step"} & set(names)):
        raise NotThisFormat("has neither _step nor '<run> - <key>' columns")
    table = source.table
    if panel:
        steps, columns = table.column(axis), panel
    else:
        steps, columns = _filled(table.column(axis)), {source.name: {name: name for name in table.columns}}
    runs = {
        run: {key: points(steps, steps if name == axis else table.column(name)) for key, name in keys.items()}
        for run, keys in columns.items()
    }
    fields = {"created_at": _created_at(table), "steps_per_epoch": 1.0 if axis in EPOCH_COLUMNS else None}
    records = [_record(run, metrics, fields) for run, metrics in runs.items()]
    found = [record for record in records if record is not None]
    if not found:
        raise NotThisFormat("has no loss column that a known logger writes")
    return found


def _record(name: str, metrics: dict[str, list[Point]], fields: dict[str, Any]) -> dict[str, Any] | None:
    dialect = dialect_of({key for key, points in metrics.items() if points})
    series = read_metrics(metrics, dialect)
    if not series:
        return None
    rates = metrics.get("train/learning_rate") or metrics.get("learning_rate") or ()
    last = max(step for points in series.values() for step, _ in points)
    epochs = max((epoch for _, epoch in metrics.get("train/epoch", ())), default=None)
    knobs = {"learning_rate": peak_rate(rates, last), "n_epochs": epochs and tidy(round(epochs, 2))}
    per_epoch = fields["steps_per_epoch"] or steps_per_epoch(metrics)
    told = {
        "steps_per_epoch": per_epoch,
        "valid_sets": set_names(metrics) if dialect is HUGGING_FACE else None,
    }
    return make_record(name, series, knobs, **(fields | told))


def _panel_runs(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Column by key by run; the key is what follows the last separator (run names may hold it too)."""
    runs: dict[str, dict[str, str]] = defaultdict(dict)
    for column in names:
        if SEPARATOR in column and not column.endswith(BANDS):
            run, _, key = column.rpartition(SEPARATOR)
            runs[run][key] = column
    return {run: keys for run, keys in runs.items() if any("loss" in key for key in keys)}


def _filled(steps: list[str | None]) -> list[str]:
    """A step for each row: one that was logged without takes the step of the row before it."""
    return list(accumulate(steps, lambda last, step: step or last, initial=""))[1:]


def _created_at(table: Table) -> float | None:
    """The first row's `_timestamp`, seconds since 1970."""
    return next((t for t in map(finite, table.column("_timestamp")) if t), None)
