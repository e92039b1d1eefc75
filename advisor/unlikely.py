"""What a job's record says that is legal and can hardly be meant. It is told."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Job

MOST_EPOCHS = 10_000  # no guide and no provider knows of a hundredth of that
SLACK = 1.05  # a log may count the step that follows


def unlikely(job: Job) -> list[str]:
    """One sentence each."""
    return [told for told in (_epochs(job), _steps(job)) if told]


def _epochs(job: Job) -> str | None:
    epochs = job.hyperparameters.n_epochs
    if epochs is None or epochs <= MOST_EPOCHS:
        return None
    return f"hyperparameters.n_epochs is {epochs:g}; expected at most {MOST_EPOCHS:,}: look whether it counts steps"


def _steps(job: Job) -> str | None:
    """More steps logged than there are."""
    logged = np.concatenate(
        [curve.step[np.isfinite(curve.step)] for curve in (job.train, job.valid, job.full_valid)]
    )
    if not job.total_steps or not len(logged) or logged.max() <= SLACK * job.total_steps:
        return None
    told = f"total_steps is {job.total_steps:g}, but a loss stands at step {logged.max():g}"
    return f"{told}: total_steps is left out"
