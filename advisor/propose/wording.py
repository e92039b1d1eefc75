"""Says which rules carry a proposal, what to expect of it in figures, and what speaks against it."""

from __future__ import annotations

import numpy as np

from advisor.nouns import Diagnosis, HyperParameters, Job
from advisor.propose.acquire import MATTERS, Worth, likely_range, percent
from advisor.propose.calibration import HIGH, came_true, eight_in_ten
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.task import Task
from advisor.space_record import COVERED

NO_JOB = "FT101"
NO_FORECAST = "no forecast"
TWICE = 1.0  # octaves beyond what the tables cover or a job tried, as ranges are cut
SPAN = 6.5  # octaves of the rate, either way: what the shipped tables span about the provider's default
SHORT = {
    "n_epochs": "epochs",
    "batch_size": "batch size",
    "learning_rate_multiplier": "learning rate multiplier",
    "learning_rate": "learning rate",
}


def because(newest: Job | None, to: HyperParameters, diagnosis: Diagnosis) -> tuple[str, ...]:
    """Rules that fired, ask for a change that the proposal makes and speak against none; measured moves first.

    What the guide asks for carries a proposal only where no measurement speaks against it. While no job has shown a
    loss, the rule that says so carries it.
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


def expectation(
    row: int,
    setting: np.ndarray,
    worth: Worth,
    task: Task,
    newest: Job | None,
    to: HyperParameters,
    diagnosis: Diagnosis,
    brief: bool = False,
) -> str:
    """One text: the expected loss with its range, the chance of a gain, what speaks against it.

    `brief` tells of an alternative what sets it apart: its own figures, and the rules that speak against it.
    """
    parts = _figures(row, setting, worth, task, to, brief)
    if brief:
        against = [f.rule for f in diagnosis.fired if _opposed(f.moves, directions(newest, to))]
        return "; ".join([*parts, *([f"against {', '.join(against)}"] if against else [])])
    if task.obs.measured and task.validated and not beyond(setting, task, to):
        parts += _unasked(newest, to, diagnosis, alone=task.library.blank)
    return "; ".join([*parts, *_against(newest, to, diagnosis)])


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
    what = (
        _listed(rest) if carrying or any("(" in told for told in rest) else "it"
    )  # no need to tell all changes again
    whose = "this task's jobs" + ("" if alone else " and of earlier tasks")
    return [f"no measured rule asks for {what}: the curves of {whose} carry it"]


def _listed(items: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def beyond(setting: np.ndarray, task: Task, to: HyperParameters) -> list[str]:
    """The knobs that lie beyond all that the shipped tables and this task's jobs tell of: a forecast there is none."""
    logs, seen = task.logs(setting[None])[0], task.obs
    (least, most), (small, large) = (np.log2(COVERED[knob]) for knob in ("n_epochs", "batch_size"))
    rates = [*seen.logs[:, 2], *([0.0] if to.learning_rate is None else [])]  # absolute ones have no default
    rate = "learning_rate_multiplier" if to.learning_rate is None else "learning_rate"
    known = {
        "n_epochs": (least - TWICE, max([most, *seen.run]) + TWICE),
        "batch_size": (min([small, *seen.logs[:, 1]]) - TWICE, max([large, *seen.logs[:, 1]]) + TWICE),
        rate: (min(rates, default=-np.inf) - SPAN, max(rates, default=np.inf) + SPAN),
    }
    told = zip(known.items(), logs, setting, strict=True)
    return [f"{SHORT[knob]} {value:g}" for (knob, (low, high)), x, value in told if not low <= x <= high]


def _figures(
    row: int, setting: np.ndarray, worth: Worth, task: Task, to: HyperParameters, brief: bool
) -> list[str]:
    """What is expected, in figures where losses were measured, and never in figures where none was."""
    ended = task.obs.n_ended
    low, middle, high = likely_range(task.predict(setting[None]), *eight_in_ten(ended))[0]
    chance, best = came_true(worth.chance[row], ended, not task.library.blank), task.obs.best()
    known = task.obs.measured and (task.validated or task.objective not in LOSS_OBJECTIVES)
    if not known or not np.isfinite([low, middle, high, chance, best]).all():
        whose = " of a job that did not blow up" if len(task.broken) else ""
        return [f"no validation loss{whose} to go by yet, so no figures: a usual setting by earlier tasks"]
    if task.objective in LOSS_OBJECTIVES and task.obs.ended_best < 0:
        return ["losses below 0 have no floor that is known, so no figures: a usual setting by earlier tasks"]
    # then more than one loss in ten is no better than the best, and the range must hold that
    if chance < HIGH:
        high = max(high, best)
    chance_text = f"{percent(chance)} chance to beat it by more than {MATTERS:.0%} of the attainable gain"
    if far := beyond(setting, task, to):
        told = f": neither this task's jobs nor earlier tasks tell of {' and '.join(far)}"
        return [NO_FORECAST if brief else f"uncertain, and {NO_FORECAST}{told}"]
    gain = f"{percent(chance)} chance of a gain above {MATTERS:.0%}"
    if task.objective not in LOSS_OBJECTIVES and brief:
        return [gain]
    if task.objective not in LOSS_OBJECTIVES:  # the process's losses are not in the metric's unit
        return [f"set against the best {task.objective} so far: {chance_text}"]
    what = "final" if task.objective == "final" else "best"
    reach = f"(8 in 10: {low:.3g} to {high:.3g})"
    # the chance is corrected by what came true, the middle is not: where they disagree it is left out
    agree = (chance < 0.5) == (middle >= best)
    forecast = f"about {middle:.3g} {reach}" if agree else f"uncertain {reach}"
    if brief:
        return [f"{forecast}, {gain}" if ended else forecast]
    about = f"{what} validation loss {forecast}, "
    return [about + _best_so_far(task), chance_text] if ended else [about + "no job has ended yet"]


def _best_so_far(task: Task) -> str:
    """The best end, and a checkpoint on the way that was better: that one need not be trained again."""
    ended, seen = task.obs.ended_best, task.obs.seen_best
    at_hand = f" ({seen:.3g} at a checkpoint)" if f"{seen:.3g}" != f"{ended:.3g}" and seen < ended else ""
    return f"best so far {ended:.3g}{at_hand}"


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


def _opposed(moves: tuple, changes: dict[str, str]) -> bool:
    return any(changes.get(m.knob, m.direction) != m.direction for m in moves)


def _unmeasured(moves: tuple) -> tuple:
    """The guide's moves of which no figure is known: those measured are right too seldom, or they were `moves`."""
    return tuple(m for m in moves if not m.measured or m.measured.startswith("not "))


def _agrees(moves: tuple, changes: dict[str, str]) -> bool:
    return any(changes.get(m.knob) == m.direction for m in moves)
