"""What the data show, as text and as data. Shows the examples' own text only where it is asked to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from advisor.datacheck.check import Report
from advisor.datacheck.examples import Example
from advisor.datacheck.measure import SHOWN, DataMeasurements, Twin
from advisor.nouns import Finding
from advisor.tell.as_text import findings_text
from advisor.tell.ink import Ink
from advisor.tell.visible import visible

EXCERPT = 96  # characters of an example that are shown
MALFORMED = "FT501"
OF_VALIDATION = ("FT504", "FT509")  # their line numbers are of the validation file


def to_text(report: Report, *, ink: Ink | None = None, show_text: bool = False) -> str:
    """The findings in words, and with `show_text` the first rows that each names."""
    ink, m = ink or Ink(), report.measurements
    valid = "" if m.valid is None else f", {_counted(m.valid, 'validation')}"
    parts = [
        _counted(m.train, "training") + valid,
        findings_text(report.findings, ink, "What the data show"),
    ]
    if show_text:
        parts += [_excerpts(rows, f.rule, ink) for f in report.fired if (rows := _rows(report, f))]
    return "\n\n".join(parts)


def to_record(report: Report, *, show_text: bool = False) -> dict[str, Any]:
    m = report.measurements
    out = {
        "n_train": len(m.train),
        "n_valid": None if m.valid is None else len(m.valid),
        "findings": [f.to_record() for f in report.findings],
    }
    if show_text:
        out["texts"] = {f.rule: rows for f in report.fired if (rows := _rows(report, f))}
    return out


def _counted(rows: Sequence[Example], file: str) -> str:
    return f"{len(rows)} {file} row{'s' * (len(rows) != 1)}"


def _rows(report: Report, finding: Finding) -> list[dict[str, Any]]:
    """The rows that a finding names, and the rows that they are like, with their text."""
    m = report.measurements
    if finding.rule == MALFORMED:
        return [_row(file, e) for file, e in m.problems[:SHOWN]]
    file = "validation" if finding.rule in OF_VALIDATION else "training"
    by_line = {"training": {e.line: e for e in m.train}, "validation": {e.line: e for e in m.valid or ()}}
    like = {twin.line: by_line["training"][twin.like] for twin in _twins(m, finding.rule)}
    lines = [n for n in finding.evidence.get("lines", ()) if n in by_line[file]]
    return [
        _row(file, by_line[file][n]) | ({"like": _row("training", like[n])} if n in like else {})
        for n in lines
    ]


def _row(file: str, example: Example) -> dict[str, Any]:
    return {"file": file, "line": example.line, "text": example.text}


def _twins(m: DataMeasurements, rule: str) -> Sequence[Twin]:
    if rule == "FT504":
        return m.leaks
    return m.conflicts if rule == "FT505" else m.twins if rule in ("FT502", "FT503") else ()


def _excerpts(rows: list[dict[str, Any]], rule: str, ink: Ink) -> str:
    lines = [ink(f"Rows of {rule}", "bold")]
    for row in rows:
        lines.append(f"  {row['file']} {row['line']:<6} {_excerpt(row['text'])}")
        if "like" in row:
            lines.append(
                f"    as {row['like']['file']} {row['like']['line']:<6} {_excerpt(row['like']['text'])}"
            )
    return "\n".join(lines)


def _excerpt(text: str) -> str:
    flat = visible(" ".join(text.split()))
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 3] + "..."
