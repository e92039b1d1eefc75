"""What the data show, as text and as data. Shows the examples' own text only where it is asked to."""

from __future__ import annotations

from typing import Any

from advisor.datacheck.check import Report
from advisor.nouns import Finding
from advisor.tell.as_text import findings_text
from advisor.tell.ink import Ink

EXCERPT = 96  # characters of an example that are shown
VALIDATION_RULES = ("FT504", "FT509")  # their line numbers are of the validation file


def to_text(report: Report, *, ink: Ink | None = None, show_text: bool = False) -> str:
    """The findings in words, and with `show_text` the first rows that each names."""
    ink, m = ink or Ink(), report.measurements
    valid = "" if m.valid is None else f", {len(m.valid)} validation rows"
    parts = [
        f"{len(m.train)} training rows{valid}",
        findings_text(report.findings, ink, "What the data show"),
    ]
    if show_text:
        parts += [_excerpts(report, f, ink) for f in report.fired if f.evidence.get("lines")]
    return "\n\n".join(parts)


def to_record(report: Report, *, show_text: bool = False) -> dict[str, Any]:
    m = report.measurements
    out = {
        "n_train": len(m.train),
        "n_valid": None if m.valid is None else len(m.valid),
        "findings": [f.to_record() for f in report.findings],
    }
    if show_text:
        out["texts"] = {f.rule: _texts(report, f) for f in report.fired if f.evidence.get("lines")}
    return out


def _texts(report: Report, finding: Finding) -> dict[int, str]:
    m = report.measurements
    rows = (m.valid or ()) if finding.rule in VALIDATION_RULES else m.train
    by_line = {e.line: e for e in rows}
    return {n: by_line[n].text for n in finding.evidence["lines"] if n in by_line}


def _excerpts(report: Report, finding: Finding, ink: Ink) -> str:
    lines = [ink(f"Rows of {finding.rule}", "bold")]
    for number, text in _texts(report, finding).items():
        flat = " ".join(text.split())
        lines.append(f"  {number:>6}  {flat if len(flat) <= EXCERPT else flat[: EXCERPT - 3] + '...'}")
    return "\n".join(lines)
