"""Counts what a training file holds: examples, turns, tokens. Streams it; memory grows with distinct lengths alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tracker.data.check import check_file
from tracker.data.jsonl import Progress, counted, rows
from tracker.data.shapes import kind_of, reasons
from tracker.data.texts import answer_of, messages_of
from tracker.data.tokens import counter

QUANTILES = {"min": 0.0, "median": 0.5, "p95": 0.95, "max": 1.0}


@dataclass
class Stats:
    """A file's figures; lengths are in tokens, counted as `tokens_by` says."""

    path: str
    kind: str | None
    n_examples: int
    n_bad_lines: int
    sha256: str
    tokens: int
    tokens_by: str
    example_tokens: dict[str, int] = field(default_factory=dict)
    answer_tokens: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)  # messages an example
    roles: dict[str, int] = field(default_factory=dict)  # messages by role
    schema: dict[str, Any] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        return asdict(self)


def file_stats(path: str | Path, on_progress: Progress | None = None) -> Stats:
    """The figures of a training file; bad lines are counted and left out.

    Raises
    ------
    InputError
        Where the file cannot be read.
    """
    report = check_file(path, None, on_progress, passes=2)
    read = counted(path, on_progress, 2, report.size)
    count = counter()
    lengths: Counter[int] = Counter()
    answers: Counter[int] = Counter()
    turns: Counter[int] = Counter()
    roles: Counter[str] = Counter()
    for row in rows(path, read):
        if (
            row.value is None
            or kind_of(row.value) != report.kind
            or reasons(row.value, report.kind or "chat")
        ):
            continue
        said = messages_of(row.value)
        lengths[count.row(row.value)] += 1
        answers[count.count(answer_of(row.value))] += 1
        turns[len(said)] += 1
        roles.update(message["role"] for message in said)
    return Stats(
        str(path),
        report.kind,
        report.n_examples,
        report.n_bad_lines,
        report.sha256,
        report.tokens,
        report.tokens_by,
        quantiles(lengths),
        quantiles(answers),
        quantiles(turns),
        dict(roles),
        report.schema,
    )


def quantiles(counts: Counter[int]) -> dict[str, int]:
    """Exact quantiles (the value at or below which that share lies) out of counts by value; empty where there are none."""
    total = counts.total()
    if not total:
        return {}
    ordered = sorted(counts.items())
    out = {}
    for name, share in QUANTILES.items():
        seen = 0
        for value, n in ordered:
            seen += n
            if seen >= share * total:
                out[name] = value
                break
    return out
