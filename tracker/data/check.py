"""Checks a training file before it is uploaded: every bad line by its number, in one streaming pass.

Knows the rows' forms (`shapes.py`) and nothing of providers: their limits on size and number are theirs to tell.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tracker.data.jsonl import Progress, Row, counted, rows
from tracker.data.shapes import KINDS, kind_of, reasons
from tracker.data.tokens import counter
from tracker.errors import InputError

# Bad lines listed one by one; the rest is counted, so that a file of gigabytes in the wrong format fits in memory.
MAX_LISTED = 1000
# Both OpenAI and Azure refuse files with fewer; other services do not, so it is a warning.
FEW_EXAMPLES = 10


class LineError(NamedTuple):
    """A bad line. The reason names the place in the line and what was expected, never the content."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass
class FileReport:
    """What a check found in one file.

    Attributes
    ----------
    kind
        chat, completion or preference; None where no line tells.
    tokens, tokens_by
        Tokens of all good examples, and how they were counted.
    errors
        The first `MAX_LISTED` bad lines' problems; `n_bad_lines` counts all bad lines.
    schema
        Shares of the examples that have a system message, several turns, tools: what a dataset's schema says.
    """

    path: str
    kind: str | None = None
    n_examples: int = 0
    n_bad_lines: int = 0
    size: int = 0  # bytes
    sha256: str = ""
    tokens: int = 0
    tokens_by: str = ""
    errors: list[LineError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    schema: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.n_bad_lines and self.n_examples > 0

    @property
    def problems(self) -> list[str]:
        """Every problem as a sentence, ready for an InputError."""
        out = [f"{self.path}: {error}" for error in self.errors]
        unlisted = self.n_bad_lines - len({error.line for error in self.errors})
        if unlisted > 0:
            out.append(f"{self.path}: {unlisted} further bad lines are not listed.")
        if not self.n_examples and not self.n_bad_lines:
            out.append(f"{self.path} is empty; expected one JSON object per line.")
        return out

    def to_record(self) -> dict[str, Any]:
        return {**asdict(self), "errors": [e._asdict() for e in self.errors], "ok": self.ok}


def check_file(
    path: str | Path, kind: str | None = None, on_progress: Progress | None = None, passes: int = 1
) -> FileReport:
    """Check a training file, streaming it in constant memory.

    Parameters
    ----------
    path
        A JSONL file.
    kind
        The form that every row must have; by default that of the first row that has one.
    on_progress
        Is told now and then how many bytes of how many are read.
    passes
        Passes over the file that the caller makes, this one the first.

    Raises
    ------
    InputError
        Where the file cannot be read at all. Bad lines are in the report, not raised.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}.")
    report = FileReport(str(path), kind)
    digest = sha256()
    count = counter()
    report.tokens_by = count.how

    count_bytes = counted(path, on_progress, passes)

    def read(raw: bytes) -> None:
        digest.update(raw)
        report.size += len(raw)
        count_bytes(raw)

    for row in rows(path, read):
        report.kind = report.kind or (row.value and kind_of(row.value)) or None
        found = _problems(row, report.kind)
        if found:
            report.n_bad_lines += 1
            report.errors += [
                LineError(row.line, reason) for reason in found[: MAX_LISTED - len(report.errors)]
            ]
        else:
            report.n_examples += 1
            report.tokens += count.row(row.value)
            _note_schema(report.schema, row.value)
    report.sha256 = digest.hexdigest()
    if report.ok and report.n_examples < FEW_EXAMPLES:
        report.warnings.append(
            f"{report.n_examples} examples: OpenAI and Azure refuse files with fewer than {FEW_EXAMPLES}."
        )
    return report


def _problems(row: Row, kind: str | None) -> list[str]:
    if row.problem or row.value is None:
        return [row.problem or "is empty"]
    if kind is None:
        forms = "; ".join(f"{kind}: {', '.join(keys)}" for kind, keys in KINDS.items())
        return [
            f"has the keys of no known form ({forms}); `tracker data convert` turns other forms into chat"
        ]
    return reasons(row.value, kind)


def _note_schema(schema: dict[str, Any], row: dict[str, Any]) -> None:
    """Count what the examples hold: enough to tell two datasets apart, without a word of their text."""
    messages = row.get("messages")
    if not isinstance(messages, list):
        return
    roles = [m["role"] for m in messages]
    marks = {
        "with_system": roles[0] in ("system", "developer"),
        "multi_turn": roles.count("user") > 1,
        "with_tools": bool(row.get("tools") or row.get("functions")) or "tool" in roles,
    }
    for mark, holds in marks.items():
        schema[mark] = schema.get(mark, 0) + holds
