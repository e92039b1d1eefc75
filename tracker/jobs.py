"""The nouns of a session: what is asked for, and what is followed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.providers.base import TERMINAL

#: The provider's metadata under which a job carries our own id, its loop's name and its experiment's.
JOB_TAG = "finetune_advisor.job"
LOOP_TAG = "finetune_advisor.loop"
EXPERIMENT_TAG = "finetune_advisor.experiment"

#: OpenAI's limit for a metadata value.
METADATA_CHARS = 512


#: The status of a job that the provider does not know (any more): nothing further can be learned of it.
LOST = "lost"


@dataclass(frozen=True)
class JobRequest:
    """A job to be made.

    Parameters
    ----------
    hyperparameters
        By knob; a value or "auto". Further settings of the provider pass through.
    metadata
        The user's own pairs, beside ours (providers allow 16 in all).
    extra
        Further fields of the create request, such as Azure's ``trainingType``.
    log_data
        Whether MLflow gets the data files themselves; names, digests and counts it gets always.
    """

    train: Path
    valid: Path | None
    model: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    suffix: str | None = None
    experiment: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    log_data: bool = False


@dataclass
class TrackedJob:
    """A job and what is known of it now.

    ``key`` is our own id, ``id`` the provider's, ``run_id`` MLflow's, ``parent`` the run of its loop. Losses are the last
    ones seen.
    """

    id: str
    run_id: str
    key: str
    status: str = "unknown"
    model: str = ""
    step: int | None = None
    total_steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    full_valid_loss: float | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    cost_usd: float | None = None
    number: int | None = None
    parent: str | None = None

    @property
    def done(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in TERMINAL or self.status == LOST

    def see(self, key: str, step: int, value: float) -> None:
        """Take note of a point, for the display."""
        if step >= (self.step or 0) and key != "base_valid_loss":
            self.step = step
        if key in ("train_loss", "valid_loss", "full_valid_loss") and math.isfinite(value):
            setattr(self, key, value)


def number_of(key: str) -> int | None:
    """Return the job's number in its loop: the last part of a key such as ``3f2a-4``."""
    last = key.rsplit("-", 1)[-1]
    return int(last) if last.isdigit() and len(last) < 6 else None
