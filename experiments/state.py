"""What a loop remembers: one plan per job, kept as a tag of the loop's parent run.

A plan is written before its job is submitted (write-ahead), so that a loop killed between any two calls finds what it
had decided and submits the same job under the same key. Nothing is remembered elsewhere. Knows no MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

PREFIX = "loop.job."
ENDED = "loop.ended"  # why the loop ended; empty while it has not
WHY_LIMIT = 2000  # characters of the advisor's words: MLflow cuts a run's tag silently at 8000


@dataclass(frozen=True)
class Plan:
    """One job as decided, and the verdict on it once it has ended."""

    number: int  # 1 for the first job
    hyperparameters: dict[str, Any]  # as requested: numbers, or "auto"
    changed: str = ""  # what differs from the job before, in words
    because: tuple[str, ...] = ()  # ids of the rules that carry the change
    why: str = ""  # what the advisor expects of it
    diagnosis: str | None = None  # label, once the job has ended and its advice is written

    def key(self, loop_id: str) -> str:
        """The job's own id: the same in every process that ever runs this loop."""
        return f"{loop_id}-{self.number}"

    def tag(self) -> dict[str, str]:
        """The plan as a tag of the parent run."""
        return {f"{PREFIX}{self.number}": json.dumps({**asdict(self), "why": self.why[:WHY_LIMIT]})}


@dataclass(frozen=True)
class End:
    """Why a loop ended: `reason` for programs, `words` for people."""

    reason: str  # "advice", "jobs", "trained_tokens", "cost_usd" or "failures"
    words: str

    def tag(self) -> dict[str, str]:
        """The end as a tag of the parent run."""
        return {ENDED: json.dumps(asdict(self))}


def read(tags: dict[str, str]) -> tuple[list[Plan], End | None]:
    """The plans, by number, and the end from the tags of a parent run."""
    plans = [Plan(**json.loads(text)) for key, text in tags.items() if key.startswith(PREFIX)]
    end = End(**json.loads(tags[ENDED])) if tags.get(ENDED) else None
    return sorted(plans, key=lambda plan: plan.number), end


def in_order(plans: Sequence[Plan], records: Sequence[dict[str, Any]], loop_id: str) -> list[dict[str, Any]]:
    """One job record per plan, in the order of the plans; a plan without a job yet is a queued one."""
    known = {record.get("key"): record for record in records}
    keys = [plan.key(loop_id) for plan in plans]
    return [
        known.get(key) or {"id": key, "status": "queued", "hyperparameters": plan.hyperparameters}
        for key, plan in zip(keys, plans, strict=True)
    ]
