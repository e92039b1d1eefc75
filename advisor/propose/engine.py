"""The proposer: reads the history, asks the surrogate, names the next settings or the word to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from advisor.nouns import Diagnosis, Job, Proposal, SearchSpace
from advisor.propose.first import default_rate, first_setting
from advisor.propose.grid import Grid, all_auto, candidates, same
from advisor.propose.observe import base_loss, observations, setting
from advisor.propose.peers import peers_of_newest
from advisor.propose.stopping import chance_of_gain, should_stop
from advisor.propose.surrogate import Posterior, posterior
from advisor.propose.wording import because, expectation

SAMPLES = 256
N_ALTERNATIVES = 3


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
) -> tuple[list[Proposal], list[Proposal]]:
    """The next `n` settings to try, best first, and alternatives to them.

    Parameters are those of `advisor.advise`. Every setting is inside the space and neither tried nor pending.
    """
    peers = peers_of_newest(jobs)
    if not jobs and not context:
        return [Proposal(all_auto(space), expect="no job and no data known: the provider's own choice")], []
    if not jobs:
        return [
            Proposal(first_setting(space, context), expect="no job yet: a usual start for data of this size")
        ], []
    grid = candidates(space, default_rate(space))
    taken = [s for j in jobs if (s := setting(j, grid.rate_name)) is not None]
    free = _free(grid, taken)
    base = base_loss(peers) or 1.0
    obs = observations(peers, grid.rate_name, base)
    post = posterior(obs, grid.logs, SAMPLES, np.random.default_rng(0))
    return _ranked(grid, post, free, peers, obs, diagnosis, n)


def _free(grid: Grid, taken: list[np.ndarray]) -> np.ndarray:
    free = np.ones(len(grid.settings), bool)
    for s in taken:
        free &= ~same(grid.settings, s)
    return free


def _ranked(
    grid: Grid, post: Posterior, free, peers, obs, diagnosis, n
) -> tuple[list[Proposal], list[Proposal]]:
    ends = obs.loss[~obs.prefix] / obs.base
    best = float(ends.min(initial=1.0))
    near = post.samples <= post.samples.min(axis=1, keepdims=True) + 0.02 * (
        1 - post.samples.min(axis=1, keepdims=True)
    )
    score = np.where(free, near.mean(axis=0) - 0.01 * post.mean, -np.inf)
    order = np.argsort(-score)[: n + N_ALTERNATIVES]
    order = order[free[order]]
    chance = chance_of_gain(post, best, free)
    stop = should_stop(chance, len(peers))
    out = []
    for row in order:
        h = grid.hyperparameters(row)
        out.append(
            Proposal(h, because(peers[-1], h, diagnosis), expectation(post, row, chance[row], obs.base, best))
        )
    if not out:
        return [Proposal(None, stop=True, reason="every setting of the space has been tried")], []
    if stop:
        reason = f"no untried setting has more than a {chance.max():.0%} chance of a gain that matters"
        out[0] = Proposal(out[0].hyperparameters, out[0].because, out[0].expect, True, reason)
    return out[:n], out[n:]
