"""Training data: streamed, checked, converted, split and counted, without a word of it in any message.

Each name below is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.data.check import FileReport, LineError, check_file
    from tracker.data.digest import digest_of
    from tracker.data.jsonl import Row, rows
    from tracker.data.texts import answer_of, prompt_of

_HOME = {
    "FileReport": "tracker.data.check",
    "LineError": "tracker.data.check",
    "Row": "tracker.data.jsonl",
    "answer_of": "tracker.data.texts",
    "check_file": "tracker.data.check",
    "digest_of": "tracker.data.digest",
    "prompt_of": "tracker.data.texts",
    "rows": "tracker.data.jsonl",
}

__all__ = ["FileReport", "LineError", "Row", "answer_of", "check_file", "digest_of", "prompt_of", "rows"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(
            f"module 'tracker.data' has no attribute {name!r}; it offers {', '.join(__all__)}"
        )
    return getattr(import_module(_HOME[name]), name)
