"""Streams a JSONL training file line by line in constant memory, with each line's problem instead of an exception.

Knows JSON Lines and nothing of chat: what a row must hold stands in `shapes.py`. Problems never quote a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tracker.errors import InputError

# A line of more bytes is refused unread: 16 MiB is some four million tokens, beyond any model's context.
MAX_LINE = 16 * 2**20
RAW = 500  # bytes
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


#: Bytes between two words of progress.
TELL_BYTES = 4 * 2**20

#: Is told how much of how much is done.
Progress = Callable[[int, int], object]


class Row(NamedTuple):
    """One line of a file: its object, or what is wrong with it."""

    line: int  # from 1
    value: dict[str, Any] | None
    problem: str | None
    raw: bytes = b""  # how a line that is no object begins, for those who may see it: no problem quotes it


def rows(path: str | Path, on_bytes: Callable[[bytes], None] | None = None) -> Iterator[Row]:
    """Stream the rows of a JSONL file.

    Parameters
    ----------
    path
        The file.
    on_bytes
        Is given every byte that is read, in order (for a digest in the same pass).

    Yields
    ------
    Row
        One per line; blank lines at the very end are left out.

    Raises
    ------
    InputError
        Where the file cannot be read.
    """
    blanks = 0
    for number, raw in enumerate(lines(path, on_bytes), 1):
        if raw is not None and not raw.strip():
            blanks += 1
            continue
        yield from (Row(number - back, None, "is blank") for back in range(blanks, 0, -1))
        blanks = 0
        row = parse(number, raw)
        yield row._replace(raw=raw[:RAW]) if row.problem and raw else row


def counted(
    path: str | Path, tell: Progress | None, passes: int = 1, done: int = 0
) -> Callable[[bytes], None]:
    """Return an ``on_bytes`` that tells now and then how many bytes of all passes over a file are read."""
    total = passes * Path(path).stat().st_size if tell and Path(path).is_file() else 0
    told = done

    def read(raw: bytes) -> None:
        nonlocal done, told
        done += len(raw)
        if tell and done - told >= TELL_BYTES:
            told = done
            tell(done, total)

    return read


def lines(path: str | Path, on_bytes: Callable[[bytes], None] | None = None) -> Iterator[bytes | None]:
    """The raw lines of a file with their line ends; None for one longer than `MAX_LINE`."""
    try:
        with Path(path).open("rb") as file:
            while raw := file.readline(MAX_LINE):
                if on_bytes:
                    on_bytes(raw)
                whole = len(raw) < MAX_LINE or raw.endswith(b"\n") or not _skip_line(file, on_bytes)
                yield raw if whole else None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); expected a file of JSON lines."
        ) from error


def _skip_line(file: BinaryIO, on_bytes: Callable[[bytes], None] | None) -> bool:
    """Read on to the line's end; False where it had ended already."""
    skipped = False
    while raw := file.readline(MAX_LINE):
        skipped = True
        if on_bytes:
            on_bytes(raw)
        if raw.endswith(b"\n"):
            break
    return skipped


def parse(number: int, raw: bytes | None) -> Row:
    """A line as a row."""
    if raw is None:
        return Row(number, None, f"is longer than {MAX_LINE // 2**20} MiB")
    if number == 1 and raw.startswith(BYTE_ORDER_MARKS):
        return Row(number, None, "starts with a byte order mark; save the file as UTF-8 without one")
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Row(number, None, f"is not UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return Row(number, None, f"is no JSON: {error.msg} at column {error.colno}")
    except RecursionError:
        return Row(number, None, "is no JSON that can be read: nested too deep")
    except ValueError:
        return Row(number, None, "is no JSON that can be read: a number of too many digits")
    if not isinstance(value, dict):
        return Row(number, None, f"is a JSON {_type_name(value)}; expected an object")
    return Row(number, value, None)


def _type_name(value: Any) -> str:
    names = {list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")
