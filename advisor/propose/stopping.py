"""When a further job is not worth its cost: nothing untried is likely to bring a gain that matters."""

from __future__ import annotations

import numpy as np

from advisor.propose.acquire import MATTERS, Worth, percent
from advisor.propose.calibration import came_of, came_true
from advisor.propose.forecast import never_below
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.observe import Observations
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
UNLEARNED = 8  # jobs that all learned nothing noticeable: their settings are not what is wrong


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


def nothing_learned(task: Task) -> str | None:
    """That no job has learned anything, whatever its setting; None where one has."""
    count = task.obs.n_ended
    if count < UNLEARNED or task.objective not in LOSS_OBJECTIVES or not never_below(task):
        return None
    return f"none of {count} jobs came noticeably below the loss before training: see whether data and model are right"


def nothing_left(out: dict[str, np.ndarray]) -> str:
    """That no setting is left, and what took them: bool[m] by reason, each setting told by the first that holds."""
    taken = np.zeros(len(next(iter(out.values()))), bool)
    counts = {}
    for why, mask in out.items():
        counts[why] = int((mask & ~taken).sum())
        taken |= mask
    told = ", ".join(f"{n:,} {'is' if n == 1 else 'are'} {why}" for why, n in counts.items() if n)
    one = "the one setting that was looked at"
    of = f"the {len(taken):,} settings that were looked at" if len(taken) > 1 else one
    return f"none is left of {of}: {told}; a wider space has others"
