"""Reads the console log of axolotl, Unsloth, TRL or any other script on the Hugging Face Trainer.

Such a log mixes the Trainer's dicts (`{'loss': 1.2, 'epoch': 0.1}`, since version 5 with quoted numbers), progress
bars (`10/200 [00:05<...`) and everything else. The dicts name no step: it comes from the training bar's total or, where
the rate decayed to its end, from what the summary tells, else the epoch itself is the step.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.setting_keys import read_settings
from tracker.readers.source import NotThisFormat, Source
from tracker.readers.trainer_state import record_of_rows
from tracker.readers.values import finite

NAME = "console log of axolotl or another Hugging Face Trainer"
ROW_OR_BAR = re.compile(
    r"(?P<row>\{[^{}\n]*['\"](?:loss|eval_(?:\w+_)?loss|train_runtime)['\"]:[^{}\n]*\})"
    r"|\b\d{1,12}/(?P<total>\d{1,12}) \["
)
LABEL = re.compile(
    r".*[\]>]|(rank)?\d+"
)  # what launchers put before a line: `[rank0]:`, `[1,0]<stderr>:`, `0:`
LOOKED_BACK = 300  # characters of a bar's line
SUMMED_UP = ("train_runtime", "train_steps_per_second")
ENDED = 0.05  # of the highest rate: a decay that came down to this has run to its end
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
    state: dict[str, Any] = {"num_train_epochs": settings["hyperparameters"].get("n_epochs")}
    epochs = [e for e in (finite(row.get("epoch")) for row in rows) if e]
    if epochs and any("train_runtime" in row for row in rows):
        # a finished run's last row stands at its last step
        total = total or _summed_up(rows)
        state |= {"epoch": max(epochs), "global_step": total}
    if total and (
        state["num_train_epochs"] or "epoch" in state
    ):  # else steps are epochs, and no total is of these
        state["max_steps"] = total
    return [record_of_rows(source.name, rows, state, settings)]


def _rows_and_total(text: str) -> tuple[list[dict[str, Any]], float | None]:
    """The Trainer's rows, and the total of the bar that most often stands before a row of training."""
    rows: list[dict[str, Any]] = []
    totals: Counter[int] = Counter()
    bar = 0
    for match in ROW_OR_BAR.finditer(text):
        if match["total"]:
            bar = bar if _named(text, match.start()) else int(match["total"])
            continue
        rows.append(dict(PAIR.findall(match["row"])))
        if bar and "loss" in rows[-1]:
            totals[bar] += 1
    return rows, float(totals.most_common(1)[0][0]) if totals else None


def _named(text: str, at: int) -> bool:
    """Whether the bar whose count stands at `at` says of what it is (`Writing model shards: 100%|`): the Trainer's own
    has no name.
    """
    line = re.split(r"[\r\n]", text[max(0, at - LOOKED_BACK) : at])[-1]
    name = line.rpartition("%|")[0].rstrip(" 0123456789")
    return name.endswith(":") and not LABEL.fullmatch(name[:-1].split(" ")[-1])


def _summed_up(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The steps by the last row's time and pace; None where these are too rough, or the run may have ended early: the
    pace is that of the planned steps then.
    """
    rates = [rate for rate in (finite(row.get("learning_rate")) for row in rows) if rate is not None]
    if not rates or rates[-1] > ENDED * max(rates):
        return None
    written = [next((row[key] for row in rows if key in row), "") for key in SUMMED_UP]
    seconds, pace = map(finite, written)
    if not seconds or not pace:
        return None
    steps = seconds * pace
    off = sum(_last_digit(text) / 2 / float(text) for text in written) * steps
    return float(round(steps)) if off < 0.5 and abs(steps - round(steps)) <= off + 0.1 else None


def _last_digit(text: str) -> float:
    """What one in the last digit of a printed number is worth."""
    return 10.0 ** -len(text.partition(".")[2]) if text.replace(".", "").isdigit() else math.inf
