"""What stands in a file that no reader takes, in one line: its keys, and that none of them is a loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracker.readers.source import NotThisFormat, Source
from tracker.scrub import scrub

MOST = 8  # names that are told
NAME = re.compile(r"[\w.\-/ ]{1,40}")  # what is told of a key: it may be anything


def what_it_holds(source: Source) -> str | None:
    """The keys that were found where none has loss in its name; None where there is none, or a loss."""
    keys = _keys(source)
    if not keys or any("loss" in key.lower() for key in keys):
        return None
    return f"found {shown_names(keys)}, but no loss, which is what is read"


def shown_names(names: Sequence[str]) -> str:
    """The first names of a log in one line; what is no name, or a secret, is not shown."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return scrub(", ".join(name if NAME.fullmatch(name) else "[...]" for name in names[:MOST])) + more


def _keys(source: Source) -> list[str]:
    """Keys of the JSON lines and of the objects in them, in the order in which they come first."""
    try:
        rows = [row for row in source.json_lines if isinstance(row, Mapping)]
    except NotThisFormat:
        return []
    return list(dict.fromkeys(name for row in rows for name in _names(row)))


def _names(row: Mapping[str, Any]) -> Iterator[str]:
    """Its keys, those of an object in it as "metrics.step"."""
    for key, value in row.items():
        inner = value if isinstance(value, Mapping) else {}
        yield from (f"{key}.{name}" for name in inner) if inner else (str(key),)
