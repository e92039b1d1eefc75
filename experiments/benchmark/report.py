"""Writes what the benchmark found: a Markdown table, the same as JSON, and the picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from experiments.benchmark.figures import ENDED, PLAYED_ON, Figure, summary, worst_table
from experiments.benchmark.loops import Loop
from experiments.benchmark.picture import draw

COLUMNS = (ENDED, PLAYED_ON, "regret@2", "regret@3", "regret@5", "stop after", "stops within 2 %")


def write(loops: Mapping[str, Sequence[Loop]], ours: str, folder: Path) -> str:
    """Write benchmark.md, benchmark.json and benchmark.svg to `folder`; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    ranked = sorted(loops, key=lambda n: summary(loops[n])[ENDED].mean)
    text = markdown({n: loops[n] for n in ranked})
    (folder / "benchmark.md").write_text(text)
    shown = {n: {k: _plain(v) for k, v in summary(loops[n]).items()} for n in ranked}
    (folder / "benchmark.json").write_text(json.dumps(shown, indent=1) + "\n")
    (folder / "benchmark.svg").write_text(draw(loops, ours))
    return text


def markdown(loops: Mapping[str, Sequence[Loop]]) -> str:
    """One row a method; means with 95 % intervals that resample the tables."""
    lines = [
        "| method | loops | " + " | ".join(COLUMNS) + " | hardest table |",
        "|---|---|" + "---|" * (len(COLUMNS) + 1),
    ]
    for name, some in loops.items():
        figures = summary(some)
        cells = [_cell(c, figures.get(c)) for c in COLUMNS]
        worst, jobs = worst_table(some)
        lines.append(f"| {name} | {figures['loops']} | " + " | ".join(cells) + f" | {worst} ({jobs:.1f}) |")
    return "\n".join(lines) + "\n"


def _cell(column: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if column.startswith("stops") else str(value)


def _plain(value: object) -> object:
    return {k: round(v, 4) for k, v in asdict(value).items()} if isinstance(value, Figure) else value
