"""Reads a plain table of losses that no known logger wrote: a spreadsheet's CSV, or a Markdown table.

Hugging Face's notebook table ("Step, Training Loss, Validation Loss") and the "Training results" of its model cards are
such tables; "No log" stands there where nothing was measured yet. Validation is taken to be of the whole set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from tracker.readers.source import NotThisFormat, Source, Table
from tracker.readers.values import Point, make_record, points

NAME = "table with columns such as step, training loss, validation loss (CSV or Markdown)"
# Column names in lower case, with blanks for all that joins words.
STEPS = ("step", "steps", "global step", "iteration", "iter")
EPOCHS = ("epoch", "epochs")
TRAIN = ("training loss", "train loss", "loss", "training", "train")
LOSS_LIKE = 20  # a loss per token beyond this is rare, and an accuracy in percent that ends below it is
VALID = (
    "validation loss",
    "valid loss",
    "val loss",
    "eval loss",
    "evaluation loss",
    "validation",
    "valid",
    "val",
    "eval",
)
RULE = re.compile(r"[\s|:-]*")  # the line under a Markdown table's header


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a table tells, as one job record."""
    table = _markdown(source.text) or source.table
    names = {re.sub(r"[\W_]+", " ", column).strip().lower(): column for column in table.columns}
    step, epoch, train, valid = (_first(names, known) for known in (STEPS, EPOCHS, TRAIN, VALID))
    if not (step or epoch) or not (train or valid):
        raise NotThisFormat("has no columns for a step or epoch and for a loss")
    axis = step or epoch
    series = {
        field: points(table.column(axis), table.column(column))
        for field, column in (("train_loss", train), ("full_valid_loss", valid))
        if column
    }
    if "loss" not in " ".join(names):
        _must_be_losses([column for column in (train, valid) if column], list(series.values()))
    if not any(series.values()):
        raise NotThisFormat("has no number in its loss columns")
    if not step and _from_nought(series.get("train_loss", ())):
        series = {field: [(at + 1, value) for at, value in found] for field, found in series.items()}
    per_epoch = _steps_per_epoch(table, step, epoch) if step else 1.0
    epochs = max((at for found in series.values() for at, _ in found), default=None) if not step else None
    return [make_record(source.name, series, {"n_epochs": epochs}, steps_per_epoch=per_epoch)]


def _first(names: Mapping[str, str], known: Sequence[str]) -> str | None:
    return next((names[name] for name in known if name in names), None)


def _must_be_losses(columns: Sequence[str], series: Sequence[Sequence[Point]]) -> None:
    """Refuse columns such as `train` and `val`, of which nobody says what they are, where they may be accuracies."""
    found = [[value for _, value in points if isfinite(value)] for points in series]
    training = next(filter(None, found), [])  # the validation's may fall though it is an accuracy
    if not training or training[-1] < training[0] or any(1 < max(v) <= LOSS_LIKE for v in found if v):
        return
    shown = " and ".join(repr(column) for column in columns)
    raise NotThisFormat(
        f"does not tell what {shown} hold, and what rises may be an accuracy; name the columns train_loss and val_loss if they are losses"
    )


def _from_nought(train: Sequence[Point]) -> bool:
    """Whether epochs count from 0: training has a loss there, which it cannot have before it began."""
    return bool(train) and min(at for at, _ in train) == 0


def _steps_per_epoch(table: Table, step: str, epoch: str | None) -> float | None:
    pairs = points(table.column(step), table.column(epoch)) if epoch else []
    ratios = [at / done for at, done in pairs if at > 0 and done > 0 and isfinite(done)]
    return ratios[-1] if ratios else None


def _markdown(text: str) -> Table | None:
    """The first Markdown table whose header speaks of a loss; None where there is none."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if line.lstrip().startswith("|") and "loss" in line.lower():
            block = [line, *_block(lines[i + 1 :])]
            cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in block]
            return Table(tuple(cells[0]), cells[1:])
    return None


def _block(lines: Sequence[str]) -> list[str]:
    """The table's rows, up to the first line that is none."""
    rows = []
    for line in lines:
        if not line.lstrip().startswith("|"):
            break
        if not RULE.fullmatch(line):
            rows.append(line)
    return rows
