"""What stands in a file that no reader takes, in one line: its keys, and that none of them is a loss."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.readers.source import NotThisFormat, Source

MOST = 8  # keys that are told
LONGEST = 40  # characters of a key that are told: it may be anything


def what_it_holds(source: Source) -> str | None:
    """The keys that were found where none has loss in its name; None where there is none, or a loss."""
    keys = _keys(source)
    if not keys or any("loss" in key.lower() for key in keys):
        return None
    more = f" and {len(keys) - MOST} more" if len(keys) > MOST else ""
    return (
        f"found {', '.join(key[:LONGEST] for key in keys[:MOST])}{more}, but no loss, which is what is read"
    )


def _keys(source: Source) -> list[str]:
    """Keys of the JSON lines, in the order in which they come first."""
    try:
        rows = [row for row in source.json_lines if isinstance(row, Mapping)]
    except NotThisFormat:
        return []
    return list(dict.fromkeys(str(key) for row in rows for key in row))
