"""Says which rules carry a proposal, what to expect of it in figures, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from advisor.figures import FINE, loss_figure
from advisor.nouns import Diagnosis, Forecast, HyperParameters, Job
from advisor.propose.acquire import MATTERS, percent
from advisor.propose.calibration import Said
from advisor.propose.forecast import below_nought, measured
from advisor.propose.known import beyond
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.task import Task

NO_JOB = "FT101"
NO_FORECAST = "no forecast"
FAILED = "see first why the newest job failed: this one may fail in the same way"
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
    said: Said  # what the surrogate says of it
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


def expectation(asked: Asked, task: Task, forecast: Forecast | None, brief: bool = False) -> str:
    """One text: the expected loss with its range, the chance of a gain, what speaks against it.

    `brief` tells of an alternative what sets it apart: its own figures, and the rules that speak against it.
    """
    newest, to, diagnosis = asked.newest, asked.to, asked.diagnosis
    far = beyond(asked.setting, task, rate_name(to))
    parts = _figures(asked, task, forecast, far, brief)
    if brief:
        against = [f.rule for f in diagnosis.fired if _opposed(f.moves, directions(newest, to))]
        return "; ".join([*parts, *([f"against {', '.join(against)}"] if against else [])])
    if task.validated and forecast is not None:
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
    what = listed(rest) if carrying or any("(" in told for told in rest) else "it"
    whose = "this task's jobs" + ("" if alone else " and of earlier tasks")
    return [f"no measured rule asks for {what}: the curves of {whose} carry it"]


def listed(items: list[str]) -> str:
    """As people list things: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def rate_name(to: HyperParameters) -> str:
    return "learning_rate_multiplier" if to.learning_rate is None else "learning_rate"


def _figures(
    asked: Asked, task: Task, forecast: Forecast | None, far: dict[str, float], brief: bool
) -> list[str]:
    """What is expected, in figures where losses were measured, and never in figures where none was."""
    if forecast is None:
        return _no_figures(asked, task, far, brief)
    ended, chance = task.obs.n_ended, percent(forecast.chance)
    gain = f"{chance} chance of a gain above {MATTERS:.0%}"
    chance_text = f"{chance} chance to beat it by more than {MATTERS:.0%} of the attainable gain"
    if forecast.low is None and task.objective not in LOSS_OBJECTIVES:
        return [gain if brief else f"set against the best {task.objective} so far: {chance_text}"]
    if forecast.low is None:
        why = f"no validation loss lay below {loss_figure(task.obs.base)}, where training began, so no range"
        if brief or not ended:
            return [gain if ended else why]
        return [f"{why}; {_best_so_far(task, loss_figure)}", chance_text]
    width = SHOWN * (forecast.high - forecast.low)
    foretold = partial(loss_figure, fine=width)  # no finer than it is known
    told = partial(loss_figure, fine=min(FINE * (task.obs.base - task.obs.best()), width) or width)
    reach = f"8 in 10: {foretold(forecast.low)} to {foretold(forecast.high)}"
    loss = reach if forecast.middle is None else f"about {foretold(forecast.middle)} ({reach})"
    if brief:
        return [f"{loss}, {gain}" if ended else loss]
    about = f"{'final' if task.objective == 'final' else 'best'} validation loss {loss}, "
    return [about + _best_so_far(task, told), chance_text] if ended else [about + "no job has ended yet"]


def _no_figures(asked: Asked, task: Task, far: dict[str, float], brief: bool) -> list[str]:
    """Why there are none."""
    if below_nought(task):
        return ["losses below 0 have no floor that is known, so no figures: a usual setting by earlier tasks"]
    if far and measured(task):
        knobs = " and ".join(f"{SHORT[knob]} {value:g}" for knob, value in far.items())
        told = f": neither this task's jobs nor earlier tasks tell of {knobs}"
        return [NO_FORECAST if brief else f"uncertain, and {NO_FORECAST}{told}"]
    whose = " of a job that came to a good end" if len(task.broken) else ""
    usual = f"no validation loss{whose} to go by yet, so no figures: a usual setting by earlier tasks"
    failed = asked.newest is not None and asked.newest.status == "failed"
    return [FAILED, usual] if failed and not brief else [usual]


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
    old, new = (rate_name(s) if s else "" for s in (newest and newest.hyperparameters, to))
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
