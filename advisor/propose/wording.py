"""Says which rules carry a proposal, what to expect of it in figures, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from advisor.figures import FINE, loss_figure
from advisor.nouns import Diagnosis, HyperParameters, Job
from advisor.propose.acquire import MATTERS, likely_range, percent
from advisor.propose.calibration import came_true, eight_in_ten
from advisor.propose.known import beyond
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.task import Task

NO_JOB = "FT101"
NO_FORECAST = "no forecast"
FAILED = "see first why the newest job failed: this one may fail in the same way"
SURE = 0.9  # a chance of a gain, below which more than one loss in ten is none
SHOWN = 0.1  # of a told range: differences that the digits show
SHORT = {
    "n_epochs": "epochs",
    "batch_size": "batch size",
    "learning_rate_multiplier": "learning rate multiplier",
    "learning_rate": "learning rate",
}


@dataclass(frozen=True)
class Asked:
    """A setting to tell of, and what it is set against."""

    setting: np.ndarray  # float[3], as the surrogate reads it
    to: HyperParameters  # the same, as it is proposed
    chance: float  # of a gain that matters, as the surrogate has it
    newest: Job | None
    diagnosis: Diagnosis


def because(newest: Job | None, to: HyperParameters, diagnosis: Diagnosis) -> tuple[str, ...]:
    """Rules that fired, ask for a change that the proposal makes and speak against none; measured moves first.

    What the guide asks for carries a proposal only where no measurement speaks against it. While no job has
    shown a loss, the rule that says so carries it.
    """
    if any(f.rule == NO_JOB for f in diagnosis.fired):
        return (NO_JOB,)
    changes = directions(newest, to)
    unopposed = [f for f in diagnosis.fired if not _opposed(f.moves, changes)]
    borne = [f.rule for f in unopposed if _agrees(f.moves, changes)]
    said = [f.rule for f in unopposed if f.rule not in borne and _agrees(_unmeasured(f.guide_moves), changes)]
    return (*borne, *said)


def directions(newest: Job | None, to: HyperParameters) -> dict[str, str]:
    """The knobs that differ from the newest job's, with up or down."""
    if newest is None:
        return {}
    old, new = newest.hyperparameters.to_record(), to.to_record()
    both = [k for k in new if isinstance(new[k], int | float) and isinstance(old.get(k), int | float)]
    return {k: "up" if new[k] > old[k] else "down" for k in both if not np.isclose(new[k], old[k], rtol=1e-6)}


def expectation(asked: Asked, task: Task, brief: bool = False) -> str:
    """One text: the expected loss with its range, the chance of a gain, what speaks against it.

    `brief` tells of an alternative what sets it apart: its own figures, and the rules that speak against it.
    """
    newest, to, diagnosis = asked.newest, asked.to, asked.diagnosis
    far = beyond(asked.setting, task, _rate_name(to))
    parts = _figures(asked, task, far, brief)
    if brief:
        against = [f.rule for f in diagnosis.fired if _opposed(f.moves, directions(newest, to))]
        return "; ".join([*parts, *([f"against {', '.join(against)}"] if against else [])])
    if task.obs.measured and task.validated and not far and not _below_nought(task):
        parts += _unasked(newest, to, diagnosis, alone=task.library.blank)
    return "; ".join([*parts, *_against(newest, to, diagnosis), *_incomparable(newest, to)])


def _unasked(newest: Job | None, to: HyperParameters, diagnosis: Diagnosis, alone: bool) -> list[str]:
    """What no rule that carries the proposal asks for, or the guide alone, whom measurement does not bear out."""
    carrying = because(newest, to, diagnosis)
    asked = {
        (m.knob, m.direction)
        for f in diagnosis.fired
        if f.rule in carrying
        for m in (*f.moves, *_unmeasured(f.guide_moves))
    }
    seldom = {
        (m.knob, m.direction): f" (the guide does: {f.rule}; {m.measured})"
        for f in diagnosis.fired
        for m in f.guide_moves
        if m.measured
    }
    rest = [
        f"{SHORT.get(k, k)} {d}{seldom.get((k, d), '')}"
        for k, d in directions(newest, to).items()
        if (k, d) not in asked
    ]
    if not rest:
        return []
    # where nothing sets one change apart, they need not be told again
    what = _listed(rest) if carrying or any("(" in told for told in rest) else "it"
    whose = "this task's jobs" + ("" if alone else " and of earlier tasks")
    return [f"no measured rule asks for {what}: the curves of {whose} carry it"]


def _listed(items: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def _rate_name(to: HyperParameters) -> str:
    return "learning_rate_multiplier" if to.learning_rate is None else "learning_rate"


def _figures(asked: Asked, task: Task, far: dict[str, float], brief: bool) -> list[str]:
    """What is expected, in figures where losses were measured, and never in figures where none was."""
    ended = task.obs.n_ended
    low, middle, high = likely_range(task.predict(asked.setting[None]), *eight_in_ten(ended))[0]
    chance, best = came_true(asked.chance, ended, not task.library.blank), task.obs.best()
    known = task.obs.measured and (task.validated or task.objective not in LOSS_OBJECTIVES)
    if not known or not np.isfinite([low, middle, high, chance, best]).all():
        whose = " of a job that did not blow up" if len(task.broken) else ""
        usual = f"no validation loss{whose} to go by yet, so no figures: a usual setting by earlier tasks"
        failed = asked.newest is not None and asked.newest.status == "failed"
        return [FAILED, usual] if failed and not brief else [usual]
    if _below_nought(task):
        return ["losses below 0 have no floor that is known, so no figures: a usual setting by earlier tasks"]
    # then more than one loss in ten is no better than the best, and the range must hold that
    if chance < SURE:
        high = max(high, best)
    chance_text = f"{percent(chance)} chance to beat it by more than {MATTERS:.0%} of the attainable gain"
    if far:
        knobs = " and ".join(f"{SHORT[knob]} {value:g}" for knob, value in far.items())
        told = f": neither this task's jobs nor earlier tasks tell of {knobs}"
        return [NO_FORECAST if brief else f"uncertain, and {NO_FORECAST}{told}"]
    gain = f"{percent(chance)} chance of a gain above {MATTERS:.0%}"
    if task.objective not in LOSS_OBJECTIVES and brief:
        return [gain]
    if task.objective not in LOSS_OBJECTIVES:  # the process's losses are not in the metric's unit
        return [f"set against the best {task.objective} so far: {chance_text}"]
    what = "final" if task.objective == "final" else "best"
    width = SHOWN * (high - low)
    foretold = partial(loss_figure, fine=width)  # no finer than it is known
    told = partial(loss_figure, fine=min(FINE * (task.obs.base - best), width) or width)
    reach = f"8 in 10: {foretold(low)} to {foretold(high)}"
    # the chance is corrected by what came true, the middle is not: where they disagree it is left out
    agree = (chance < 0.5) == (middle >= best)
    forecast = f"about {foretold(middle)} ({reach})" if agree else reach
    if brief:
        return [f"{forecast}, {gain}" if ended else forecast]
    about = f"{what} validation loss {forecast}, "
    return [about + _best_so_far(task, told), chance_text] if ended else [about + "no job has ended yet"]


def _below_nought(task: Task) -> bool:
    """Whether losses fell where the surrogate knows of no floor."""
    return task.objective in LOSS_OBJECTIVES and task.obs.ended_best < 0


def _best_so_far(task: Task, told: Callable[[float], str]) -> str:
    """The best end, and a checkpoint on the way that was better: that one need not be trained again."""
    ended, seen = task.obs.ended_best, task.obs.seen_best
    at_hand = f" ({told(seen)} at a checkpoint)" if told(seen) != told(ended) and seen < ended else ""
    return f"best so far {told(ended)}{at_hand}"


def _against(newest: Job | None, to: HyperParameters, diagnosis: Diagnosis) -> list[str]:
    """What fired and asks for the contrary; and where the guide asks for what measurement does not bear out."""
    changes = directions(newest, to)
    asking: dict[str, list[str]] = {}  # rules by what they ask for
    guide = []
    for f in diagnosis.fired:
        for m in f.moves:
            if changes.get(m.knob, m.direction) != m.direction:
                asking.setdefault(f"{SHORT.get(m.knob, m.knob)} {m.direction}", []).append(f.rule)
        for m in f.guide_moves:
            if changes.get(m.knob, m.direction) != m.direction and m.measured:
                guide.append(
                    f"the guide asks for {SHORT.get(m.knob, m.knob)} {m.direction} ({f.rule}; {m.measured})"
                )
    told = [
        f"{' and '.join(rules)} {'ask' if len(rules) > 1 else 'asks'} for {what}"
        for what, rules in asking.items()
    ]
    against = f"against it: {', '.join(told)}, the whole history does not"
    return [*([against] if told else []), *guide]


def _incomparable(newest: Job | None, to: HyperParameters) -> list[str]:
    """Where the jobs' learning rates are in another unit than the proposed one, they tell nothing of it."""
    old, new = (_rate_name(s) if s else "" for s in (newest and newest.hyperparameters, to))
    if newest is None or old == new or getattr(newest.hyperparameters, old) is None:
        return []
    return [f"the jobs have a {SHORT[old]}, so what they showed says nothing of this {SHORT[new]}"]


def _opposed(moves: tuple, changes: dict[str, str]) -> bool:
    return any(changes.get(m.knob, m.direction) != m.direction for m in moves)


def _unmeasured(moves: tuple) -> tuple:
    """The guide's moves of which no figure is known: those measured are right too seldom, or they were `moves`."""
    return tuple(m for m in moves if not m.measured or m.measured.startswith("not "))


def _agrees(moves: tuple, changes: dict[str, str]) -> bool:
    return any(changes.get(m.knob) == m.direction for m in moves)
