"""The proposer: reads the history, weighs every setting of the space, names the next ones or the word to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from advisor.nouns import Diagnosis, Job, Proposal, SearchSpace
from advisor.propose.acquire import Worth, worth
from advisor.propose.agreeing import agreement
from advisor.propose.budget import affordable
from advisor.propose.calibration import came_true
from advisor.propose.failed import beyond_settings, likeness
from advisor.propose.forecast import foretell
from advisor.propose.grid import Grid, all_auto, candidates, same, within_reach
from advisor.propose.guide import follow
from advisor.propose.known import unknown
from advisor.propose.nearby import nearness, settled
from advisor.propose.peers import peers_of_newest
from advisor.propose.rates import reference_rate
from advisor.propose.replicate import replicate
from advisor.propose.series import all_blew_up, setting
from advisor.propose.stopping import nothing_learned, nothing_left, stop_reason
from advisor.propose.task import Task, understand
from advisor.propose.warm import too_hot_elsewhere
from advisor.propose.wording import Asked, because, expectation, rate_name

N_ALTERNATIVES = 3
SHORTLIST = 300  # settings that are looked at closely
FIRST_LOOK = 24  # guesses that choose them
# How far what a job may end worse by counts beside what it may take off: one that ends badly is a job lost.
# Where no earlier task tells where, only looking far away teaches anything, and it breaks ties alone
# (experiments/LOG.md).
CAUTION, ALONE = 0.05, 1e-6
# By which a setting counts for less of which neither tables nor jobs tell: nobody bets a job on it.
UNKNOWN = 0.1


def propose(
    jobs: Sequence[Job],
    diagnosis: Diagnosis,
    space: SearchSpace,
    *,
    n: int = 1,
    objective: str = "final",
    budget: Any = None,
    prior: Any = None,
    context: dict[str, Any] | None = None,
    guide_only: bool = False,
    curves: bool = True,
) -> tuple[list[Proposal], list[Proposal]]:
    """The next `n` settings to try (fewer where the space or the budget has fewer left), best first, and alternatives.

    Parameters are those of `advisor.advise`; `curves=False` looks at the jobs' ends alone (the benchmark's
    ablation). Every setting is inside the space and neither tried nor pending. Where stopping is advised the
    proposals say so, and their settings are those that would be tried next if forced.
    """
    if n < 1:
        raise ValueError(f"n is {n}; expected 1 or more: the number of settings to propose at once")
    grid = candidates(space if guide_only else within_reach(space, jobs), reference_rate(space))
    tried = _tried(grid, jobs)
    within = affordable(grid.settings, peers_of_newest(jobs), budget, context)
    if not jobs and not context:
        auto = all_auto(space)
        expect = "no job and no data known: the provider's own choice"
        made = [Proposal(auto, because(None, auto, diagnosis), expect)] * int(min(n, max(within.jobs, 1)))
        return _with_stop(made, within.reason), []
    if guide_only:
        made = _with_stop(follow(jobs, diagnosis, space, grid, ~tried & within.settings, n), within.reason)
        return made[: max(1, within.at_once(_epochs(made)))], []
    task = understand(jobs, space, objective=objective, prior=prior, context=context, curves=curves)
    out = _ruled_out(grid, tried, ~within.settings, task, space)
    safe = ~np.any(list(out.values()), axis=0)
    liked = _near(task, task.logs(grid.settings)) * task.doubt(grid.settings)
    liked *= np.where(unknown(grid.settings, task, grid.rate_name), UNKNOWN, 1.0)
    liked *= likeness(grid.settings, peers_of_newest(jobs), grid.rate_name)
    liked *= too_hot_elsewhere(grid.settings, jobs, grid.rate_name, task.proven)
    liked *= agreement(grid, jobs[-1] if jobs else None, diagnosis, task.reference)
    worthy = bool(safe.any())  # else the word is stop, and what is named is for who goes on all the same
    grid, left, liked = _shortlist(task, grid, safe if worthy else ~tried & within.settings, liked)
    rows, values = _choose(task, grid, left, liked, n + N_ALTERNATIVES, n)
    n_ended, taught = task.obs.n_ended, not task.library.blank
    named = rows[0] if rows else None
    reason = (
        within.reason
        or beyond_settings(peers_of_newest(jobs), space)
        or nothing_learned(task, peers_of_newest(jobs), space)
        or (
            stop_reason(values, left, task.obs, taught, named)
            if worthy
            else nothing_left(out, all_blew_up(peers_of_newest(jobs)))
        )
    )
    if rows and not reason:
        reason = within.too_little(came_true(values.said(rows[0], n_ended, taught)), n_ended)
    newest = jobs[-1] if jobs else None
    asked = [
        Asked(grid.settings[r], grid.hyperparameters(r), values.said(r, n_ended, taught), newest, diagnosis)
        for r in rows
    ]
    made = _with_stop([_proposal(a, task, limit=within.limit) for a in asked[:n]], reason)
    others = [_proposal(a, task, brief=True) for a in asked[n:]]
    extra = replicate(task, peers_of_newest(jobs), space) if (context or {}).get("replicate") else []
    return made[: max(1, within.at_once(_epochs(made)))], [*extra, *others]


def _ruled_out(
    grid: Grid, tried: np.ndarray, too_dear: np.ndarray, task: Task, space: SearchSpace
) -> dict[str, np.ndarray]:
    """bool[m] by reason: settings that no job is spent on."""
    ranges = [not k.values for k in (space.n_epochs, space.batch_size, space.rate)]
    return {
        "tried or under way": tried,
        "beyond what is left of the budget": too_dear,
        "more of what overfitted or blew up": task.in_vain(grid.settings),
        "too far from the best for so late a job": ~settled(task.logs(grid.settings), task.obs, ranges),
    }


def _shortlist(
    task: Task, grid: Grid, free: np.ndarray, liked: np.ndarray
) -> tuple[Grid, np.ndarray, np.ndarray]:
    """The settings worth a close look, where a space has many: by what a few of the guesses say of all."""
    if len(grid.settings) <= SHORTLIST:
        return grid, free, liked
    first = worth(
        task.guesses.fewer(FIRST_LOOK).predict(task.logs(grid.settings)), task.obs.best(), task.least
    )
    score = _score(first, liked, task)
    kept = np.sort(np.argsort(-np.where(free, score, -np.inf), kind="stable")[:SHORTLIST])
    return replace(grid, settings=grid.settings[kept]), free[kept], liked[kept]


def _tried(grid: Grid, jobs: Sequence[Job]) -> np.ndarray:
    """bool[m]: settings that a job has or had, whether it ended or not."""
    tried = np.zeros(len(grid.settings), bool)
    for job in peers_of_newest(jobs):
        knobs = setting(job, grid.rate_name)
        if knobs is not None:
            tried |= same(grid.settings, knobs)
    return tried


def _choose(
    task: Task, grid: Grid, free: np.ndarray, liked: np.ndarray, count: int, n: int
) -> tuple[list[int], Worth]:
    """Rows of the grid, best first: the first `n` so that each knows of those before it, the rest as they stand."""
    prediction = task.predict(grid.settings)
    first = values = worth(prediction, task.obs.best(), task.least)
    rows: list[int] = []
    left = free.copy()
    while left.any() and len(rows) < count:
        row = int(np.argmax(np.where(left, _score(values, liked, task), -np.inf)))
        rows.append(row)
        left[row] = False
        if len(rows) < n:
            task = task.believing(grid.settings[row], float(values.mean[row]))
            values = worth(task.predict(grid.settings), task.obs.best(), task.least)
    return rows, first


def _near(task: Task, logs: np.ndarray) -> np.ndarray:
    """Where no earlier task says where valleys lie, the best job so far may be far from all of them."""
    if task.library.blank:
        return np.ones(len(logs))
    return nearness(logs, task.obs)


def _score(values: Worth, liked: np.ndarray, task: Task) -> np.ndarray:
    """Expected improvement times how a setting is liked, less what is at risk."""
    caution = ALONE if task.library.blank else CAUTION
    return values.improvement * liked - caution * values.worsening


def _proposal(asked: Asked, task: Task, brief: bool = False, limit: str | None = None) -> Proposal:
    carried_by = because(asked.newest, asked.to, asked.diagnosis)
    forecast = foretell(asked.setting, asked.said, task, rate_name(asked.to))
    told = filter(None, (expectation(asked, task, forecast, brief), limit))
    return Proposal(asked.to, carried_by, "; ".join(told), forecast=forecast)


def _epochs(made: list[Proposal]) -> list[float]:
    return [p.hyperparameters.n_epochs if p.hyperparameters else 0.0 for p in made]


def _with_stop(made: list[Proposal], reason: str | None) -> list[Proposal]:
    """The proposals as they are, or where there is a reason with the word to stop on each."""
    if not reason:
        return made
    if not made:
        return [Proposal(None, expect=reason, stop=True, reason=reason)]
    return [replace(p, stop=True, reason=reason) for p in made]
