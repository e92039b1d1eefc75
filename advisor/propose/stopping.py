"""When a further job is not worth its cost: nothing untried is likely to bring a gain that matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Job, Knob, SearchSpace
from advisor.propose.acquire import MATTERS, Worth, percent
from advisor.propose.calibration import came_of, came_true
from advisor.propose.forecast import never_below
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.observe import Observations
from advisor.propose.series import given, told_base
from advisor.propose.task import Task

# Share of the gain that the best next job must be expected to bring, as much of what is expected as comes (`calibration`).
EXPECTED = 0.006
# The same where no earlier task has a say, and once LOST jobs in a row brought nothing: hope alone keeps such loops going
EXPECTED_ALONE, LOST, HOPED = 0.015, 5, 0.1
# Jobs in a row that brought nothing, before which no loop is called finished: one may be bad luck, and after a good one the
# surrogate is too sure that it was the last (of 144 loops left out 2.8 in 100 ended short of 2 % without it, none with it)
IDLE = 2
FEWEST = 5  # jobs before which no loop is called finished: a few may all lie beside a valley
ALONE = 8  # the same where no earlier task has a say: after five 29 of 90 loops stopped short, after eight 7
# Jobs that all learned nothing noticeable: their settings are not what is wrong, if their rates come so near to the
# highest of the space, or blew up, and so near to the lowest, or span so much
UNLEARNED, NEAR, WIDE = 8, 4.0, 30.0


def stop_reason(
    worth: Worth, free: np.ndarray, obs: Observations, prior: bool = True, named: int | None = None
) -> str | None:
    """Why none of the settings `free`, one at least, is worth its cost; None where one is. `prior`: whether earlier
    tasks have a say; `named`: the one of them that the proposal names, and the figures are of (the most promising, where none
    is given).
    """
    fewest = FEWEST if prior else ALONE
    if obs.n_ended < fewest or obs.n_in_vain < IDLE:
        return None
    asked = EXPECTED if prior else HOPED if obs.n_in_vain >= LOST else EXPECTED_ALONE
    said = {int(i): worth.said(int(i), obs.n_ended, prior) for i in np.flatnonzero(free)}
    promising = max(said, key=lambda i: came_of(said[i]))
    if came_of(said[promising]) >= asked:
        return None
    told = said[promising if named is None else named]
    return (
        f"the next setting is expected to bring {came_of(told):.1%} of the attainable gain (a job must promise {asked:.1%}), "
        f"and its chance of more than {MATTERS:.0%} is {percent(came_true(told))}"
    )


def nothing_learned(task: Task, jobs: Sequence[Job], space: SearchSpace) -> str | None:
    """That none of these peers has learned anything, whatever its rate; None where one has, or where that cannot be said."""
    count = task.obs.n_ended
    if count < UNLEARNED or task.objective not in LOSS_OBJECTIVES or not never_below(task):
        return None
    rates = [given(j, space.rate_name)[2] for j in jobs if not j.pending]
    if told_base(jobs) is None or not _spanned(space.rate, rates, bool(len(task.broken))):
        return None
    return (
        f"none of {count} jobs, at rates from {min(rates):g} to {max(rates):g}, came noticeably below the loss before "
        "training: see whether data and model are right"
    )


def _spanned(rate: Knob, tried: Sequence[float], broke: bool) -> bool:
    """Whether there is no rate far from those tried at which a job might learn; not where one is unknown."""
    lowest, highest = (rate.values[0], rate.values[-1]) if rate.values else (rate.low, rate.high)
    low, high = np.min(tried), np.max(tried)
    return bool((broke or high * NEAR >= highest) and (low <= lowest * NEAR or low * WIDE <= high))


def nothing_left(out: dict[str, np.ndarray], in_vain: bool = False) -> str:
    """That no setting is left, and what took them: bool[m] by reason, each setting told by the first that holds.

    `in_vain`: whether every job blew up, for which the settings need not be to blame.
    """
    taken = np.zeros(len(next(iter(out.values()))), bool)
    counts = {}
    for why, mask in out.items():
        counts[why] = int((mask & ~taken).sum())
        taken |= mask
    told = ", ".join(f"{n:,} {'is' if n == 1 else 'are'} {why}" for why, n in counts.items() if n)
    one = "the one setting that was looked at"
    of = f"the {len(taken):,} settings that were looked at" if len(taken) > 1 else one
    look = ", but every job blew up: see first whether the data, the code or the precision is at fault"
    return f"none is left of {of}: {told}; a wider space has others{look if in_vain else ''}"
