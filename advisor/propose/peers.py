"""Which jobs may be compared: those of the newest job's model, validation data and loss. The rest is warm start."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.measure.method import loss_of
from advisor.nouns import Job


def is_peer(job: Job, of: Job) -> bool:
    """Neither model nor validation digest nor loss differ; what is not known is taken to be the same."""
    return is_kin(job, of) and _alike(job.valid_digest, of.valid_digest)


def is_kin(job: Job, of: Job) -> bool:
    """One model trained by one loss, on whatever data; what is not known is taken to be the same."""
    return _alike(job.model, of.model) and _alike(loss_of(job.method), loss_of(of.method))


def _alike(a: str | None, b: str | None) -> bool:
    return a is None or b is None or a == b


def peers_of_newest(jobs: Sequence[Job]) -> list[Job]:
    return [j for j in jobs if is_peer(j, jobs[-1])] if jobs else []


def strangers(jobs: Sequence[Job]) -> list[Job]:
    """Jobs on another model, other data or another loss: they tell where good settings tend to lie, not how good they are
    here.
    """
    return [j for j in jobs if not is_peer(j, jobs[-1])] if jobs else []
