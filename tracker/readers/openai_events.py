"""Reads the events of an OpenAI-compatible fine-tuning job, as their route serves them: one page, a list, or JSONL.

That is also the form of `events.jsonl` among a run's artifacts. What an event says is read where live events are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.points import BASE, merge, total_steps
from tracker.readers.source import NotThisFormat, Source
from tracker.readers.values import finite, make_record

NAME = "OpenAI job events (JSON or JSONL)"


def read(source: Source) -> list[dict[str, Any]]:
    """The curves that a job's events tell, as one job record without hyperparameters."""
    events = [event for event in _events(source) if _is_event(event)]
    points = merge(events)
    if not points:
        raise NotThisFormat("has no event that tells a step's loss")
    series: dict[str, list[tuple[float, float]]] = {}
    for point in sorted(points, key=lambda point: point.step):
        series.setdefault(point.key, []).append((point.step, point.value))
    base = [value for _, value in series.pop(BASE, [])]
    total = max((t for t in map(total_steps, events) if t), default=None)
    started = min(finite(event.get("created_at")) or 0 for event in events)
    fields = {
        "base_valid_loss": base[0] if base else None,
        "total_steps": total,
        "created_at": started or None,
    }
    return [make_record(source.name, series, **fields)]


def _events(source: Source) -> list[Any]:
    try:
        content = source.json
    except NotThisFormat:
        return list(source.json_lines)
    if isinstance(content, Mapping):
        content = content.get("data", [content])
    return content if isinstance(content, list) else []


def _is_event(event: Any) -> bool:
    return isinstance(event, Mapping) and "message" in event and "created_at" in event
