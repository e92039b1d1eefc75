"""Reads the result CSV of an OpenAI-compatible fine-tuning job, plain or base64.

Three generations of columns: OpenAI's (`train_loss`, `train_accuracy`, `valid_loss`, `valid_mean_token_accuracy`),
Azure's (also `train_mean_token_accuracy`, `validation/...`, `full_valid_...`) and legacy GPT-3's (`training_loss`,
`validation_loss`). `valid_loss` is of one validation batch here. The file has no hyperparameters and no job id.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tracker.readers.source import NotThisFormat, Source, Table, decoded, parse_table
from tracker.readers.values import Point, make_record, points

NAME = "OpenAI result CSV (plain or base64)"
# Column names of all three generations, by the record's field.
COLUMNS = {
    "train_loss": ("train_loss", "training_loss"),
    "valid_loss": ("valid_loss", "validation_loss", "validation/valid_loss", "validation/loss"),
    "full_valid_loss": ("full_valid_loss", "validation/full_valid_loss"),
    "train_mean_token_accuracy": ("train_mean_token_accuracy", "train_accuracy", "training_token_accuracy"),
    "valid_mean_token_accuracy": (
        "valid_mean_token_accuracy",
        "validation/valid_mean_token_accuracy",
        "valid_accuracy",
        "validation_token_accuracy",
    ),
    "full_valid_mean_token_accuracy": (
        "full_valid_mean_token_accuracy",
        "validation/full_valid_mean_token_accuracy",
    ),
}
LOSSES = {name for field in ("train_loss", "valid_loss", "full_valid_loss") for name in COLUMNS[field]}
# Stands for "no value here" in some services' files; no loss or accuracy of theirs is negative.
PLACEHOLDER = -1.0


def read(source: Source) -> list[dict[str, Any]]:
    """The curves of a result CSV, as one job record without hyperparameters."""
    series = parse_series(source.data)
    if not series:
        raise NotThisFormat("has no value in any of its loss columns")
    return [make_record(source.name, series)]


def parse_series(data: bytes, *, ended: bool = True) -> dict[str, list[Point]]:
    """Points by record field out of a result file's bytes, as the files route serves them.

    A last row that lacks cells is left out. Until the job has `ended` the file may be cut within a number too: a last
    row without its line end is then left out, whatever it holds.

    Raises
    ------
    NotThisFormat
        Where the bytes are no such table, plain or decoded.
    """
    table = _table(data, ended)
    if "step" not in table.columns or not LOSSES & set(table.columns) or "epoch" in table.columns:
        raise NotThisFormat("has no columns step and train_loss (or training_loss)")
    out, steps = {}, table.column("step")
    for field, names in COLUMNS.items():
        there = [name for name in names if name in table.columns]
        series = [p for name in there for p in points(steps, table.column(name)) if p[1] != PLACEHOLDER]
        if series:
            out[field] = series
    return out


def remark(source: Source, record: dict[str, Any]) -> str | None:
    """What is told of a file that ends within a row, or of base64 within a group of four."""
    text = _text(source.data)
    packed = text != source.text
    if _lacks_cells(text) or (packed and len(b"".join(source.data.split())) % 4):
        return " is cut short: what its job logged after that is not read, and it is judged as one that ended there"
    return None


def _table(data: bytes, ended: bool) -> Table:
    text = _text(data)
    cut = "\n" in text and (not ended or _lacks_cells(text))
    return parse_table(text.rpartition("\n")[0] if cut else text)


def _text(data: bytes) -> str:
    text = decoded(data)
    return text if text.lstrip().startswith("step") else _unpacked(data) or text


def _lacks_cells(text: str) -> bool:
    """Whether the last row has no line end and fewer cells than the header."""
    whole, _, rest = text.rpartition("\n")
    return bool(whole) and rest.count(",") < text.partition("\n")[0].count(",") and bool(rest)


def _unpacked(data: bytes) -> str | None:
    """The text that base64 holds, None where the bytes are no base64 (blanks and line ends in it are allowed)."""
    packed = b"".join(data.split())
    packed = packed[: len(packed) // 4 * 4]  # a file that is cut short may end within a group of four
    try:
        return base64.b64decode(packed, validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
