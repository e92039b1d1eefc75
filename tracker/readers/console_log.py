"""Reads the console log of axolotl, Unsloth, TRL or any other script on the Hugging Face Trainer.

Such a log mixes the Trainer's dicts (`{'loss': 1.2, 'epoch': 0.1}`, since version 5 with quoted numbers), progress
bars (`10/200 [00:05<...`) and everything else. The dicts name no step: it comes from the training bar's total, else
the epoch itself is the step.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.setting_keys import read_settings
from tracker.readers.source import NotThisFormat, Source
from tracker.readers.trainer_state import record_of_rows
from tracker.readers.values import finite

NAME = "console log of axolotl or another Hugging Face Trainer"
ROW_OR_BAR = re.compile(
    r"(?P<row>\{[^{}\n]*['\"](?:loss|eval_loss|train_runtime)['\"]:[^{}\n]*\})"
    r"|\b\d{1,12}/(?P<total>\d{1,12}) \["
)
PAIR = re.compile(r"['\"]([\w/]+)['\"]:\s*['\"]?([-+.\w]+)")
BLANK = r"[ \t]*"  # and no line end: many empty lines would be tried over and over
SETTING = re.compile(
    rf"^[ \t\"'-]*(\w+)[\"']?{BLANK}[:=]{BLANK}[\"']?([^\s,\"']+)[\"']?,?{BLANK}$", re.MULTILINE
)
CONFIG_KEYS = frozenset(
    (
        "num_epochs",
        "num_train_epochs",
        "learning_rate",
        "micro_batch_size",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "base_model",
        "lr_scheduler",
        "seed",
    )
)


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a console log tells, as one job record."""
    rows, total = _rows_and_total(source.text)
    if not rows:
        raise NotThisFormat("has no {'loss': ...} lines")
    # axolotl prints its whole configuration at the start, one setting a line
    printed = {k: v for k, v in SETTING.findall(source.text) if k in CONFIG_KEYS}
    beside, told = settings_beside(source.folder), read_settings(printed)
    settings = beside | told | {"hyperparameters": beside["hyperparameters"] | told["hyperparameters"]}
    state: dict[str, Any] = {
        "max_steps": total,
        "num_train_epochs": settings["hyperparameters"].get("n_epochs"),
    }
    epochs = [e for e in (finite(row.get("epoch")) for row in rows) if e]
    if epochs and any("train_runtime" in row for row in rows):
        # a finished run's last row stands at its last step
        state |= {"epoch": max(epochs), "global_step": total}
    return [record_of_rows(source.name, rows, state, settings)]


def _rows_and_total(text: str) -> tuple[list[dict[str, Any]], float | None]:
    """The Trainer's rows, and the total of the bar that most often stands before a row of training."""
    rows: list[dict[str, Any]] = []
    totals: Counter[int] = Counter()
    bar = 0
    for match in ROW_OR_BAR.finditer(text):
        if match["total"]:
            bar = int(match["total"])
            continue
        rows.append(dict(PAIR.findall(match["row"])))
        if bar and "loss" in rows[-1]:
            totals[bar] += 1
    return rows, float(totals.most_common(1)[0][0]) if totals else None
