"""Reads a Keras history: CSVLogger's file, a data frame of `history.history` as CSV, or that dict as JSON.

One row is one epoch, so the epoch (counted from 1) is the step and an epoch has one step. Other settings are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.readers.dialects import KERAS
from tracker.readers.mlflow_keys import read_metrics
from tracker.readers.source import NotThisFormat, Source
from tracker.readers.values import finite, make_record, number

NAME = "Keras history (CSV or JSON)"
RATES = ("learning_rate", "lr")


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a history tells, as one job record."""
    columns = _from_json(source.json) if source.text.lstrip()[:1] in ("{", "[") else _from_table(source)
    if "loss" not in columns:
        raise NotThisFormat("has no loss per epoch")
    epochs = columns.pop("epoch", [])
    metrics = {key: _by_epoch(values, epochs) for key, values in columns.items()}
    series = read_metrics(metrics, KERAS)
    if not series:
        raise NotThisFormat("has no number in its loss columns")
    rates = [rate for key in RATES for rate in map(finite, columns.get(key, ())) if rate]
    knobs = {
        "n_epochs": max(step for s in series.values() for step, _ in s),
        "learning_rate": max(rates, default=None),
    }
    return [make_record(source.name, series, knobs, steps_per_epoch=1.0, total_steps=knobs["n_epochs"])]


def _by_epoch(values: list[Any], epochs: list[Any]) -> list[tuple[float, float]]:
    """Points by epoch index: the file's own where it has one (a resumed log goes on counting), else the row's."""
    pairs = [(finite(epochs[i]) if i < len(epochs) else float(i), number(v)) for i, v in enumerate(values)]
    return [(step, value) for step, value in pairs if step is not None and value is not None]


def _from_json(content: Any) -> dict[str, list[Any]]:
    """Columns of `{"loss": [...]}`, of a data frame's `{"loss": {"0": ...}}`, or of its rows `[{"loss": ...}]`."""
    if isinstance(content, list) and all(isinstance(row, Mapping) for row in content):
        names = dict.fromkeys(name for row in content for name in row)
        if "val_loss" not in names or "step" in names:  # what else is such a list is another logger's
            raise NotThisFormat("is a list of rows without val_loss, or with steps")
        content = {name: [row.get(name) for row in content] for name in names}
        if content.get("epoch", [0])[0] == 1:  # whoever writes rows by hand counts from 1; Keras from 0
            del content["epoch"]
    if isinstance(content, Mapping) and isinstance(content.get("history"), Mapping):
        content = content["history"]
    if not isinstance(content, Mapping):
        raise NotThisFormat("is no object of lists")
    columns = {k: list(v.values()) if isinstance(v, Mapping) else v for k, v in content.items()}
    return {k: v for k, v in columns.items() if isinstance(v, list)}


def _from_table(source: Source) -> dict[str, list[Any]]:
    table = source.table
    if {"step", "steps", "global_step", "iteration", "iter"} & {name.lower() for name in table.columns}:
        raise NotThisFormat("has steps; a history has epochs alone")
    return {name: table.column(name) for name in table.columns}
