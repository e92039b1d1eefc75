"""A job's story in Markdown, for the head of its MLflow page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracker.points import BASE, Point
from tracker.scrub import scrub

#: Warnings told one by one: a note has 8,000 characters in all.
WARNINGS = 8


def story(
    job: dict[str, Any],
    status: str,
    hyperparameters: dict[str, Any],
    points: list[Point],
    missing: list[str],
    warnings: Sequence[str] = (),
) -> str:
    """Return a few lines that tell how a job ended and what became of it."""
    error = job.get("error") if isinstance(job.get("error"), dict) else {}
    lines = [f"**{status}**, base model `{job.get('model')}`, job `{job.get('id')}`"]
    if hyperparameters:
        lines.append(
            "Settings: "
            + ", ".join(f"{key} {value}" for key, value in hyperparameters.items() if value is not None)
        )
    lines += _losses(points)
    if job.get("fine_tuned_model"):
        lines.append(f"Model: `{job['fine_tuned_model']}`")
    if error.get("message") or error.get("code"):
        said = filter(None, (scrub(error.get("code")), scrub(error.get("message"))))
        lines.append("Reason: " + ": ".join(said))
    lines += [f"Warning: {warning}" for warning in warnings[:WARNINGS]]
    if len(warnings) > WARNINGS:
        lines.append(f"{len(warnings) - WARNINGS} further warnings are in events.jsonl.")
    if missing:
        lines.append("The provider does not have: " + ", ".join(missing))
    return "\n\n".join(lines)


def _losses(points: list[Point]) -> list[str]:
    base = next((p.value for p in points if p.key == BASE), None)
    full = sorted((p for p in points if p.key == "full_valid_loss"), key=lambda p: p.step)
    if not full:
        return []
    best = min(full, key=lambda p: (p.value != p.value, p.value, p.step))
    before = f" (before training {base:.4g})" if base is not None else ""
    return [
        f"Full validation loss{before}: best {best.value:.4g} at step {best.step}, last {full[-1].value:.4g} "
        f"at step {full[-1].step}"
    ]
