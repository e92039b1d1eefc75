"""The guide's rules to the letter: the moves of the rules that fire, each a fixed step, measured or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Diagnosis, Job, Proposal, SearchSpace
from advisor.propose.grid import COLUMN, Grid
from advisor.propose.rates import reference_rate
from advisor.propose.series import likely_setting
from advisor.propose.wording import SHORT, listed

STEP = 2.0  # a move doubles or halves its knob
SEVERAL = "the guide's rules to the letter; it says nothing of what to expect"


def follow(
    jobs: Sequence[Job], diagnosis: Diagnosis, space: SearchSpace, grid: Grid, free: np.ndarray, n: int
) -> list[Proposal]:
    """Apply every move of every firing rule to the newest job, two steps where one lands on a tried setting."""
    reference = reference_rate(space)
    knobs = likely_setting(jobs[-1], grid.rate_name, reference) if jobs else np.array([3.0, 8.0, reference])
    steps, rules = _steps(diagnosis)
    if not free.any():
        return [
            Proposal(
                None, stop=True, reason="every setting of the space that is within the budget has been tried"
            )
        ]
    aim = np.array([_moved(grid.settings[:, i], knobs[i], steps[i]) for i in range(3)])
    asked = free & _as_asked(grid.settings, knobs, steps)
    if jobs and not (steps.any() and asked.any()):
        why = _none_left(steps, grid.rate_name) if steps.any() else "no rule of the guide asks for a change"
        return [Proposal(grid.hyperparameters(_nearest(grid, free, aim)), (), SEVERAL, True, why)]
    out: list[Proposal] = []
    left, to = asked, knobs
    while left.any() and len(out) < n:
        to = np.array([_moved(grid.settings[:, i], to[i], steps[i]) for i in range(3)])
        row = _nearest(grid, left, to)
        left[row] = False
        out.append(Proposal(grid.hyperparameters(row), rules, SEVERAL))
    return out


def _as_asked(settings: np.ndarray, knobs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """bool[m]: settings that move a knob as the rules ask, and none against them."""
    change = np.log(settings / knobs) * steps
    return (change >= -1e-9).all(axis=1) & ((change > 1e-9).any(axis=1) | (not steps.any()))


def _none_left(steps: np.ndarray, rate_name: str) -> str:
    knobs = ("n_epochs", "batch_size", rate_name)
    ways = [f"{SHORT[k]} {'up' if s > 0 else 'down'}" for k, s in zip(knobs, steps, strict=True) if s]
    return f"the guide asks for {listed(ways)}, and the space has nothing untried that way"


def _moved(allowed: np.ndarray, value: float, step: float) -> float:
    """The allowed value nearest to a step away, and never none at all while there is one in that direction."""
    ahead = np.unique(allowed)
    ahead = ahead[(ahead - value) * step > 1e-9 * value] if step else ahead[:0]
    return float(min(ahead, key=lambda v: abs(np.log(v / (value * STEP**step))), default=value))


def _steps(diagnosis: Diagnosis) -> tuple[np.ndarray, tuple[str, ...]]:
    """Net direction per knob, -1, 0 or 1, and the rules that ask for it; contrary votes cancel."""
    votes, rules = np.zeros(3), []
    for finding in diagnosis.fired:
        asked = [m for m in (*finding.moves, *finding.guide_moves) if m.knob in COLUMN]
        for move in asked:
            votes[COLUMN[move.knob]] += 1 if move.direction == "up" else -1
        if asked:
            rules.append(finding.rule)
    return np.sign(votes), tuple(rules)


def _nearest(grid: Grid, free: np.ndarray, to: np.ndarray) -> int:
    distance = np.abs(np.log2(grid.settings) - np.log2(to)).sum(axis=1)
    return int(np.argmin(np.where(free, distance, np.inf)))
