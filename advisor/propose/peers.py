"""Which jobs may be compared: those of the newest job's model, validation data and loss. The rest is warm start."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.nouns import Job

# What a method is called, by the loss that it logs: cross-entropy, each preference loss, rewards. Adapters, as lora, and
# names that are not known here say nothing of it.
LOSS_OF = {
    name: name for name in ("supervised", "dpo", "ipo", "kto", "orpo", "cpo", "simpo", "reinforcement")
}
LOSS_OF |= {"sft": "supervised", **dict.fromkeys(("grpo", "ppo", "rloo", "rft"), "reinforcement")}


def is_peer(job: Job, of: Job) -> bool:
    """Neither model nor validation digest nor loss differ; what is not known is taken to be the same."""
    return is_kin(job, of) and _alike(job.valid_digest, of.valid_digest)


def is_kin(job: Job, of: Job) -> bool:
    """One model trained by one loss, on whatever data; what is not known is taken to be the same."""
    return _alike(job.model, of.model) and _alike(loss_of(job.method), loss_of(of.method))


def _alike(a: str | None, b: str | None) -> bool:
    return a is None or b is None or a == b


def loss_of(method: str | None) -> str | None:
    """The loss that a method's name tells, as "sft-lora" tells supervised; None where it tells none."""
    parts = re.findall("[a-z]+", (method or "").lower())
    return next((LOSS_OF[part] for part in parts if part in LOSS_OF), None)


def peers_of_newest(jobs: Sequence[Job]) -> list[Job]:
    return [j for j in jobs if is_peer(j, jobs[-1])] if jobs else []


def strangers(jobs: Sequence[Job]) -> list[Job]:
    """Jobs on another model, other data or another loss: they tell where good settings tend to lie, not how good they are
    here.
    """
    return [j for j in jobs if not is_peer(j, jobs[-1])] if jobs else []
