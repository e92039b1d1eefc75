"""Which jobs may be compared: those of the newest job's model and validation data. The rest is warm start."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.nouns import Job


def is_peer(job: Job, of: Job) -> bool:
    """Neither model nor validation digest differ; what is not known is taken to be the same."""
    pairs = ((job.model, of.model), (job.valid_digest, of.valid_digest))
    return all(a is None or b is None or a == b for a, b in pairs)


def peers_of_newest(jobs: Sequence[Job]) -> list[Job]:
    return [j for j in jobs if is_peer(j, jobs[-1])] if jobs else []


def strangers(jobs: Sequence[Job]) -> list[Job]:
    """Jobs on another model or other data: they tell where good settings tend to lie, not how good they are here."""
    return [j for j in jobs if not is_peer(j, jobs[-1])] if jobs else []
