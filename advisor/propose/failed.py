"""Jobs that failed before any loss was logged: what may have been too much for the machine, and when to look instead.

A failure by itself tells little: servers die under good settings too. It is held against settings that are like it,
most of all against as large a batch, since memory is what jobs fail of that another setting could mend. How much is a
judgement: no benchmark has such jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from advisor.nouns import Job
from advisor.propose.series import diverged, given

# How much less a setting is worth for each job that failed: with its batch size; with a larger batch or as hot a rate
SAME_BATCH, MORE = 0.3, 0.5
# In a row, no setting explains them: failures; and jobs that blew up, each with a larger step down than the one before
IN_A_ROW, BLOWN_IN_A_ROW = 3, 6


def failures(jobs: Sequence[Job]) -> list[Job]:
    return [j for j in jobs if _failed(j)]


def _failed(job: Job) -> bool:
    return job.status == "failed" and not any(len(c) for c in (job.train, job.valid, job.full_valid))


def likeness(settings: np.ndarray, jobs: Sequence[Job], rate_name: str) -> np.ndarray:
    """float[m]: how much settings float[m, 3] are worth by the jobs that failed, as far as none went well beyond them."""
    ran = [given(j, rate_name) for j in jobs if j.succeeded and not diverged(j)]
    most = np.nanmax(np.array(ran).reshape(-1, 3), axis=0, initial=0.0)
    worth = np.ones(len(settings))
    for job in failures(jobs):
        _, batch, rate = given(job, rate_name)
        same = np.isclose(settings[:, 1], batch) & (batch > most[1])
        larger = (settings[:, 1] > batch) & (settings[:, 1] > most[1])
        hot = (settings[:, 2] >= rate * (1 - 1e-6)) & (settings[:, 2] > most[2])
        worth *= np.where(same, SAME_BATCH, np.where(larger, MORE, 1.0)) * np.where(hot, MORE, 1.0)
    return worth


def beyond_settings(jobs: Sequence[Job]) -> str | None:
    """Why to look before another job is paid for: the latest all failed, or blew up; None where they did not."""
    ended = [j for j in jobs if not j.pending][::-1]
    failed = sum(1 for _ in takewhile(_failed, ended))
    if failed >= IN_A_ROW:
        return (
            f"the last {failed} jobs failed before they logged a loss: see in their errors why (data that is refused, "
            "memory, a quota), for no setting of theirs explains it"
        )
    lost = sum(1 for _ in takewhile(lambda j: _failed(j) or diverged(j), ended))
    if lost >= BLOWN_IN_A_ROW:
        return (
            f"the last {lost} jobs blew up or failed: see whether the data, the code or the precision is at "
            "fault, for a still lower rate will hardly mend it"
        )
    return None
