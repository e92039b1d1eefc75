"""Jobs that failed before any loss was logged: what may have been too much for the machine, and when to look instead.

A failure by itself tells little: servers die under good settings too. It is held against settings that are like it,
most of all against as large a batch, since memory is what jobs fail of that another setting could mend. How much is a
judgement: no benchmark has such jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from advisor.nouns import Job, SearchSpace
from advisor.propose.limits import heat, survival
from advisor.propose.rates import reference_rate
from advisor.propose.series import base_loss, came_to_nothing, diverged, given, given_whole

# What a setting is worth for each job that failed with its batch size; with a smaller one; at a heat that it cannot be sure
# to bear
SAME_BATCH, LARGER, AS_HOT = 0.3, 0.5, 0.5
# In a row, no setting explains them: failures; and jobs that blew up, each with a larger step down than the one before
IN_A_ROW, BLOWN_IN_A_ROW = 3, 6


def _failed(job: Job) -> bool:
    return job.status == "failed" and not _has_losses(job)


def _in_vain(job: Job) -> bool:
    """Ended before it showed anything, by itself or by whoever saw that it would."""
    return job.status in ("failed", "cancelled") and not _has_losses(job)


def _has_losses(job: Job) -> bool:
    return any(len(c) for c in (job.train, job.valid, job.full_valid))


def likeness(settings: np.ndarray, jobs: Sequence[Job], rate_name: str) -> np.ndarray:
    """float[m]: how much settings float[m, 3] are worth by the jobs that failed, or were cancelled, before a loss, as far as none like
    them ran.

    A job ran if it logged a loss. Each that failed leaves less of the hope that it was not the heat.
    """
    worth = np.ones(len(settings))
    if not any(map(_in_vain, jobs)):
        return worth
    ran = given_whole([j for j in jobs if _has_losses(j) and not diverged(j)], rate_name)
    failed = given_whole([j for j in jobs if _in_vain(j)], rate_name)
    for batch in failed[:, 1]:
        same = np.isclose(settings[:, 1], batch) & (batch not in ran[:, 1])
        larger = settings[:, 1] > max(batch, ran[:, 1].max(initial=0.0))
        worth *= np.where(same, SAME_BATCH, np.where(larger, LARGER, 1.0))
    proven = heat(ran).max(initial=0.0)
    hot = failed[heat(failed) > proven * (1 + 1e-6)]
    not_heat = AS_HOT ** len(hot)
    return worth * (not_heat + (1 - not_heat) * survival(settings, hot, proven))


def beyond_settings(jobs: Sequence[Job], space: SearchSpace) -> str | None:
    """Why to look before another job is paid for: the latest all failed, or blew up at a usual rate and below; None where
    they did not.
    """
    ended = [j for j in jobs if not j.pending][::-1]
    failed = sum(1 for _ in takewhile(_failed, ended))
    if failed >= IN_A_ROW:
        return (
            f"the last {failed} jobs failed before they logged a loss: see in their errors why (data that is refused, "
            "memory, a quota), for no setting of theirs explains it"
        )
    base = base_loss(jobs) or np.inf
    lost = list(takewhile(lambda j: _failed(j) or came_to_nothing(j, base), ended))
    usual = reference_rate(space)
    if len(lost) >= BLOWN_IN_A_ROW and not all(given(j, space.rate_name)[2] > usual for j in lost):
        return (
            f"the last {len(lost)} jobs blew up or failed: see whether the data, the code or the precision is at "
            "fault, for a still lower rate will hardly mend it"
        )
    return None
