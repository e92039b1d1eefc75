"""The form in which a report is written, by the ending of its file: HTML, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from advisor.tell.failure import UsageError

if TYPE_CHECKING:
    from advisor.nouns import Advice, Finding

ENDINGS = (".html", ".htm", ".md", ".json")
# By what a report is known again, so that nothing else is written over: the page by its title, Markdown by a remark
# that is not shown.
TITLED = b"finetune-advisor</title>"
REMARK = "<!-- finetune-advisor -->"


def writer(path: str) -> Callable[[Advice, Sequence[Any], Sequence[Finding]], str]:
    """What makes the text of the report at `path` of an advice, its jobs and what their data show.

    Raises
    ------
    UsageError
        Where the ending is none of `ENDINGS`: a page would lie under a name that says something else. `-`, standard
        output, takes the page.
    """
    ending = ".html" if path == "-" else next((e for e in ENDINGS if path.lower().endswith(e)), None)
    if ending is None:
        told = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise UsageError([f"{path}: expected a file that ends in {told}; the report takes that form"])
    return {".md": _markdown, ".json": _json}.get(ending, _html)


def is_report(path: str, content: bytes) -> bool:
    """Whether a file of that name and content was written by us."""
    from advisor.tell.as_json import is_answer

    if path.lower().endswith(".json"):
        return is_answer(content)
    return TITLED in content or content.rstrip().endswith(REMARK.encode())


def _html(advice: Advice, jobs: Sequence[Any], data: Sequence[Finding]) -> str:
    from advisor.tell import html

    return html(advice, jobs, data=data)


def _markdown(advice: Advice, jobs: Sequence[Any], data: Sequence[Finding]) -> str:
    from advisor.tell import markdown

    return f"{markdown(advice, jobs, data=data)}\n{REMARK}\n"


def _json(advice: Advice, jobs: Sequence[Any], data: Sequence[Finding]) -> str:
    from advisor.tell import next_command
    from advisor.tell.as_json import answer

    return answer(advice, data, next_command(advice, jobs[-1] if jobs else None)) + "\n"
