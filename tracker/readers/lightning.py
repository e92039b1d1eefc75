"""Reads Lightning's `metrics.csv` (CSVLogger), and a Hugging Face `log_history` that somebody saved as CSV.

Both have the columns `epoch` and `step`, with blanks where a row does not measure something. Lightning counts steps
and epochs from 0, and its settings lie beside it in `hparams.yaml`.
"""

from __future__ import annotations

from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.dialects import LIGHTNING, OURS
from tracker.readers.mlflow_keys import epochs_run, read_metrics, steps_per_epoch
from tracker.readers.source import NotThisFormat, Source, Table
from tracker.readers.trainer_state import record_of_rows
from tracker.readers.values import make_record, points

NAME = "Lightning metrics.csv"


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a `metrics.csv` tells, as one job record."""
    table = source.table
    if not {"epoch", "step"} <= set(table.columns):
        raise NotThisFormat("has no columns epoch and step")
    settings = settings_beside(source.folder)
    if {"loss", "eval_loss"} & set(table.columns):
        return [record_of_rows(source.name, table.rows, settings=settings)]
    steps = table.column("step")
    metrics = {name: points(steps, table.column(name)) for name in table.columns}
    dialect = LIGHTNING if read_metrics(metrics, LIGHTNING) else OURS
    series = read_metrics(metrics, dialect)
    if not series:
        raise NotThisFormat("has no column train_loss or val_loss")
    found = {"n_epochs": epochs_run(metrics, LIGHTNING), "learning_rate": _peak_rate(table)}
    knobs = found | settings.pop("hyperparameters", {})
    per_epoch = steps_per_epoch(metrics, LIGHTNING)
    return [make_record(source.name, series, knobs, steps_per_epoch=per_epoch, **settings)]


def _peak_rate(table: Table) -> float | None:
    """The highest value of the column that LearningRateMonitor writes, `lr-<optimiser>`."""
    names = [name for name in table.columns if name.startswith("lr-") or name in ("lr", "learning_rate")]
    steps = table.column("step")
    return max((v for name in names for _, v in points(steps, table.column(name))), default=None)
