"""One file to be read, opened once and looked at in every way that a reader may want: bytes, text, lines, JSON, table.

Knows encodings and delimiters, and nothing of any format: what the values mean is each reader's matter.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

# Bytes; a log of a million steps has about 150 MB. What is larger is a model or a data set, named by mistake.
LARGEST = 500_000_000
CHECKPOINT = re.compile(r"checkpoint-\d+")
DELIMITERS = ",;\t"
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")
# Names that say nothing about the run: the folder's name is the better one.
GENERIC_NAMES = frozenset(
    (
        "trainer_state",
        "trainer_log",
        "metrics",
        "history",
        "step_metrics",
        "finetune_results",
        "training_log",
        "log",
        "train_log",
        "running_log",
        "debug",
    )
)


class ReadError(ValueError):
    """A file could not be read as training history. The message names the file, what was tried and what to do."""


class NotThisFormat(Exception):
    """A reader's polite refusal: the reason, in a few words, that goes into the final error."""


@dataclass(frozen=True)
class Table:
    """A delimited text: the header's names as they stand, and the texts of each row, as many as it has.

    A log may have a million rows: columns are taken whole, and rows are made to dicts only for whoever asks.
    """

    columns: tuple[str, ...]
    cells: Sequence[Sequence[str]]

    def column(self, name: str) -> list[str | None]:
        """The texts under a name, the last of those that share it; None where a row is too short."""
        if name not in self.columns:
            return [None] * len(self.cells)
        at = len(self.columns) - 1 - self.columns[::-1].index(name)
        return [row[at] if len(row) > at else None for row in self.cells]

    @cached_property
    def rows(self) -> tuple[dict[str, str], ...]:
        """Each row as a dict of texts by column."""
        return tuple(dict(zip(self.columns, row, strict=False)) for row in self.cells)


class Source:
    """A file's content with its views, each made at most once.

    Parameters
    ----------
    path
        Where the file lies; its neighbours are looked up beside it.
    data
        Its bytes.
    """

    def __init__(self, path: Path, data: bytes):
        self.path = path
        self.data = data

    @classmethod
    def open(cls, path: Path) -> Source:
        try:
            size = path.stat().st_size
            if size > LARGEST:
                raise ReadError(
                    f"{path} has {size / 1e6:.0f} MB; a training history has at most {LARGEST / 1e6:.0f}."
                )
            return cls(path, path.read_bytes())
        except OSError as error:
            raise ReadError(
                f"{path} cannot be read: {error.strerror or error}; expected a file that exists"
            ) from error

    @property
    def folder(self) -> Path:
        """The run's folder: where the file lies, or above it where that is a checkpoint's."""
        folder = self.path.resolve().parent
        return folder.parent if CHECKPOINT.fullmatch(folder.name) else folder

    @property
    def name(self) -> str:
        """The run's name: the file's, or its folder's where the file's is the same for every run."""
        stem = self.path.name.split(".")[0]
        return stem if stem and stem.lower() not in GENERIC_NAMES else self.folder.name or stem

    @cached_property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()

    @cached_property
    def text(self) -> str:
        """Bad bytes are replaced."""
        return decoded(self.data)

    @cached_property
    def json(self) -> Any:
        """The text as JSON, bare NaN and Infinity allowed (Python's own writer puts them there)."""
        head = self.text.lstrip()[:1]
        if head not in ("{", "["):
            raise NotThisFormat("is no JSON object or list")
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise NotThisFormat(f"is no valid JSON ({type(error).__name__})") from error

    @cached_property
    def json_lines(self) -> list[dict[str, Any]]:
        """The objects of a JSONL text. A last line that was cut off while being written is left out."""
        if self.text.lstrip()[:1] != "{":  # a table of a million lines need not be cut into them
            raise NotThisFormat("line 1 is no JSON object")
        rows = []
        lines = [line for line in self.text.splitlines() if line.strip()]
        for i, line in enumerate(lines):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                if i and i == len(lines) - 1:
                    break
                raise NotThisFormat(f"line {i + 1} is no JSON") from error
            if not isinstance(row, dict):
                raise NotThisFormat(f"line {i + 1} is no JSON object")
            rows.append(row)
        return rows

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names in the header of the text as a table, whose rows may be many and are not looked at."""
        return parse_table(self.text.lstrip().partition("\n")[0]).columns

    @cached_property
    def table(self) -> Table:
        """The text as a delimited table of at least one row."""
        table = parse_table(self.text)
        if not table.cells:
            raise NotThisFormat("is a table without rows")
        return table


def decoded(data: bytes) -> str:
    """UTF-8 with or without byte order mark, or UTF-16 with one (Windows' editors); bad bytes are replaced."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding, errors="replace")


def parse_table(text: str) -> Table:
    """A CSV text as a table; the delimiter is the one that the header has most of.

    Raises
    ------
    NotThisFormat
        Where there is no header of at least two names.
    """
    header, _, _ = text.lstrip().partition("\n")
    delimiter = max(DELIMITERS, key=header.count)
    if not header.count(delimiter) or header[:1] in "{[":
        raise NotThisFormat("is no table with a header")
    try:
        lines = list(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise NotThisFormat("is no table with a header") from error
    columns = tuple(name.strip() for name in lines[0])
    rows = [row for row in lines[1:] if "".join(row).strip()]
    return Table(columns, [_with_points(row) for row in rows] if delimiter == ";" and "," in text else rows)


def _with_points(row: Sequence[str]) -> list[str]:
    """The cells with decimal points: where semicolons part them, as spreadsheets in much of Europe write it, 1,5 is 1.5."""
    return [cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in row]
