"""Says advice in words and pictures: text, Markdown, HTML and the next command line.

Pure: every function returns a string. Knows the nouns and the rules' pages; reads and writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.tell.as_html import html
    from advisor.tell.as_markdown import markdown
    from advisor.tell.as_text import text
    from advisor.tell.command import next_command

__all__ = ["html", "markdown", "next_command", "text"]

_HOME = {"html": "as_html", "markdown": "as_markdown", "text": "as_text", "next_command": "command"}


def __getattr__(name: str) -> Any:
    """Load on first use: jinja2 is no part of answering `--help`."""
    if name not in _HOME:
        raise AttributeError(f"module 'advisor.tell' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"advisor.tell.{_HOME[name]}"), name)
    globals()[name] = value
    return value
