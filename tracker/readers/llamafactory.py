"""Reads LLaMA-Factory's `trainer_log.jsonl`: one object per log, with `current_steps` and `total_steps`.

Older versions write null for what a line does not measure; a resumed run appends to the file of the first. It is
written line by line, and the one that sums up a run has no loss: a log that ends with a loss short of its last step
is that of a run under way.
"""

from __future__ import annotations

from typing import Any

from tracker.readers.beside import settings_beside
from tracker.readers.ending import unfinished
from tracker.readers.source import NotThisFormat, Source
from tracker.readers.trainer_state import record_of_rows
from tracker.readers.values import finite

NAME = "LLaMA-Factory trainer_log.jsonl"


def read(source: Source) -> list[dict[str, Any]]:
    """The run that a `trainer_log.jsonl` tells, as one job record."""
    if '"current_steps"' not in source.text:
        raise NotThisFormat("has no current_steps")
    rows = [_row(line) for line in source.json_lines]
    total = next((finite(line.get("total_steps")) for line in reversed(source.json_lines)), None)
    tokens = max((finite(line.get("total_tokens")) or 0 for line in source.json_lines), default=0)
    state = {"max_steps": total, "global_step": max((finite(r["step"]) or 0 for r in rows), default=0)}
    state["num_input_tokens_seen"] = tokens
    record = record_of_rows(source.name, rows, state, settings_beside(source.folder))
    under_way = total and state["global_step"] < total and _measures(rows[-1])
    return [{"status": "running", **record} if under_way else record]


def remark(source: Source, record: dict[str, Any]) -> str | None:
    """What is told of a log that ends before its last step."""
    told = unfinished(record)
    return told and f" {told}"


def _measures(row: dict[str, Any]) -> bool:
    return row["loss"] is not None or row["eval_loss"] is not None


def _row(line: dict[str, Any]) -> dict[str, Any]:
    """A log line in the Trainer's own words; "lr" became "learning_rate" between versions and back."""
    return {
        "step": line.get("current_steps"),
        "epoch": line.get("epoch"),
        "loss": line.get("loss"),
        "eval_loss": line.get("eval_loss"),
        "learning_rate": line.get("learning_rate", line.get("lr")),
    }
