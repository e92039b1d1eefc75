"""Reads Lightning's `metrics.csv` (CSVLogger), and a Hugging Face `log_history` that somebody saved as CSV.

Both have the columns `epoch` and `step`, with blanks where a row does not measure something. Lightning counts steps
and epochs from 0, and its settings lie beside it in `hparams.yaml`.
"""

from __future__ import annotations

from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.mlflow_keys import LIGHTNING, OURS, read_metrics
from tracker.readers.source import NotThisFormat, Source, Table
from tracker.readers.trainer_state import record_of_rows
from tracker.readers.values import finite, make_record, points, tidy

NAME = "Lightning metrics.csv"


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a `metrics.csv` tells, as one job record."""
    table = source.table
    if not {"epoch", "step"} <= set(table.columns):
        raise NotThisFormat("has no columns epoch and step")
    settings = settings_beside(source.folder)
    if {"loss", "eval_loss"} & set(table.columns):
        return [record_of_rows(source.name, table.rows, settings=settings)]
    metrics = {name: points(table.rows, "step", name) for name in table.columns}
    series = read_metrics(metrics, LIGHTNING) or read_metrics(metrics, OURS)
    if not series:
        raise NotThisFormat("has no column train_loss or val_loss")
    knobs = {"learning_rate": _peak_rate(table)} | settings.pop("hyperparameters", {})
    return [make_record(source.name, series, knobs, steps_per_epoch=_steps_per_epoch(table), **settings)]


def _steps_per_epoch(table: Table) -> float | None:
    """The last step of each epoch over the epochs done; None where only a part of one epoch is there."""
    last: dict[float, float] = {}
    for row in table.rows:
        epoch, step = finite(row.get("epoch")), finite(row.get("step"))
        if epoch is not None and step is not None:
            last[epoch] = max(step + 1, last.get(epoch, 0))
    if len(last) < 2:
        return None
    epoch = sorted(last)[-2]  # the last one may have been cut short
    return tidy(last[epoch] / (epoch + 1)) if epoch >= 0 else None


def _peak_rate(table: Table) -> float | None:
    """The highest value of the column that LearningRateMonitor writes, `lr-<optimiser>`."""
    names = [name for name in table.columns if name.startswith("lr-") or name in ("lr", "learning_rate")]
    return max((v for name in names for _, v in points(table.rows, "step", name)), default=None)
