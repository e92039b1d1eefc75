"""Streams the rows of a data file in any container: JSONL, one JSON list, or CSV with a header. Constant memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from tracker.data.jsonl import MAX_LINE, Row, rows
from tracker.errors import InputError

CHUNK = 2**16  # characters read at a time from a JSON list
BETWEEN = re.compile(r"[ \t\r\n,]*")
CSV_ENDINGS = {".csv": ",", ".tsv": "\t"}


def any_rows(path: str | Path) -> Iterator[Row]:
    """The rows of a file, each with its number: the line's in JSONL and CSV, the element's in a JSON list.

    Raises
    ------
    InputError
        Where the file cannot be read, or a JSON list breaks off: nothing behind the break can be told apart.
    """
    path = Path(path)
    try:
        if path.suffix.lower() in CSV_ENDINGS:
            yield from _csv_rows(path)
        elif _starts_a_list(path):
            with path.open(encoding="utf-8-sig") as file:
                yield from _list_rows(file, path)
        else:
            yield from rows(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 at byte {error.start + 1}; save it as UTF-8.") from error


def _starts_a_list(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"[")


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        delimiter = ";" if first.count(";") > first.count(",") else CSV_ENDINGS[path.suffix.lower()]
        reader = csv.reader(chain([first], file), delimiter=delimiter)
        header = [name.strip() for name in next(reader, [])]
        try:
            for cells in reader:
                if not any(cells):
                    continue
                wrong = len(cells) != len(header)
                problem = f"has {len(cells)} cells; the header has {len(header)}" if wrong else None
                yield Row(reader.line_num, None if wrong else dict(zip(header, cells, strict=True)), problem)
        except csv.Error as error:
            raise InputError(f"{path} breaks off at line {reader.line_num}: {error}.") from error


def _list_rows(file: TextIO, path: Path) -> Iterator[Row]:
    """Decode one element after the other, reading on only where an element is not whole yet."""
    decoder = json.JSONDecoder()
    text, at, number = file.read(CHUNK).lstrip(), 1, 0
    while True:
        at = BETWEEN.match(text, at).end()
        if text.startswith("]", at):
            return
        try:
            value, end = decoder.raw_decode(text, at)
            whole = end < len(text)  # a number at the very end may go on in the next chunk
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            text, at = text[at:], 0
            # doubling what is read keeps the decoding of one long element linear in its length
            more = file.read(max(CHUNK, len(text)))
            if not more or len(text) > MAX_LINE:
                raise InputError(f"{path} breaks off in element {number + 1}: it is no valid JSON list.")
            text += more
            continue
        number, at = number + 1, end
        good = isinstance(value, dict)
        yield Row(number, value if good else None, None if good else "is no object")
