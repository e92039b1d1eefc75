"""What the words for a job's status mean: each provider, tracker and trainer has its own."""

from __future__ import annotations

MEANING = {
    "succeeded": ("succeeded", "success", "successful", "completed", "complete", "finished", "done", "ok"),
    "failed": ("failed", "failure", "error", "errored", "crashed"),
    "cancelled": ("cancelled", "canceled", "killed", "aborted", "stopped", "interrupted", "expired"),
    "running": ("running", "in_progress", "training", "started", "active", "paused", "resumed"),
    "queued": ("queued", "pending", "scheduled", "created", "submitted", "waiting", "validating_files"),
}
KNOWN = {word: status for status, words in MEANING.items() for word in words}


def read_status(told: str | None, doubts: list[str]) -> str | None:
    """One of MEANING's five, by a word of any case; one that is not known is a doubt, and taken as running."""
    if not told:
        return None
    known = KNOWN.get(told.strip().lower().replace("-", "_").replace(" ", "_"))
    if known is None:
        doubts.append(f"status is {told[:20]!r}; expected one of {', '.join(MEANING)}: taken as running")
    return known or "running"
