"""A job's papers: what its run keeps as files, free of quoted content. Pure.

What was served word for word is kept by the archive, not here.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from tracker.points import in_order
from tracker.raw import RawJob
from tracker.readers.values import SERIES
from tracker.scrub import scrub

#: The artifact with the losses by validation example, where the provider gives them.
VALIDATION_EXAMPLES = "validation_examples.jsonl"


def artifacts(raw: RawJob) -> dict[str, str]:
    """Return the job's papers, free of quoted content: what was served is kept by the archive, not here."""
    lines = [json.dumps(_scrubbed(event), sort_keys=True) for event in in_order(raw.events)]
    found = {"job.json": json.dumps(_scrubbed(raw.job), indent=1, sort_keys=True)}
    if lines:
        found["events.jsonl"] = "\n".join(lines) + "\n"
    rows = result_rows(raw)
    if rows:
        found["results.csv"] = _table(rows)
    examples = _validation_examples(raw)
    if examples:
        found[VALIDATION_EXAMPLES] = examples
    return found


def _table(rows: list[tuple[str, float, float]]) -> str:
    """Return points as the CSV that providers serve, a column a metric; of a step's further values each has a row."""
    values: dict[float, dict[str, list[float]]] = {}
    for key, step, value in sorted(set(rows)):
        values.setdefault(step, {}).setdefault(key, []).append(value)
    keys = [key for key in SERIES if any(key in found for found in values.values())]
    lines = ["step," + ",".join(keys)]
    for step, found in sorted(values.items()):
        for cells in zip_longest(*(found.get(key, ()) for key in keys)):
            lines.append(f"{step:.15g}," + ",".join("" if cell is None else repr(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def _validation_examples(raw: RawJob) -> str:
    """Return the losses by validation example, where a result file holds them as JSON lines: numbers only, no text."""
    for data in raw.results.values():
        try:
            rows = [json.loads(line) for line in data.splitlines() if line.strip()]
        except ValueError:
            continue
        if rows and all(isinstance(row, dict) and {"line", "loss"} <= row.keys() for row in rows):
            kept = ({k: v for k, v in row.items() if isinstance(v, (int, float))} for row in rows)
            return "".join(json.dumps(row, sort_keys=True) + "\n" for row in kept)
    return ""


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    return scrub(value) if isinstance(value, str) else value


def result_rows(raw: RawJob) -> list[tuple[str, float, float]]:
    """Return the points of the result files that can be read; one that cannot is as good as none."""
    from tracker.readers.openai_csv import parse_series
    from tracker.readers.source import NotThisFormat

    rows = []
    for data in raw.results.values():
        try:
            series = parse_series(data, ended=bool(raw.job.get("finished_at")))
        except NotThisFormat:
            continue
        rows += [
            (key, step, value)
            for key, points in series.items()
            for step, value in points
            if value is not None
        ]
    return rows
