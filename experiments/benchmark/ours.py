"""The advisor as a method of the benchmark, whole and with parts left out. What it learned, it learned elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import advisor
from advisor.advice import diagnose_newest
from advisor.nouns import Curve, Diagnosis, Job, Proposal, SearchSpace
from advisor.propose import propose
from advisor.propose.surfaces import Library
from experiments.benchmark.surfaces import library
from experiments.benchmark.tables import FOLDER, KNOBS, LEARNED_FROM, Key, Table, read_all

HEALTHY = Diagnosis("healthy")  # no rule fires: what is left where curves are not read


def left_out(tables: Sequence[Table]) -> Callable[[Table], Library]:
    """The library for a table: of `tables` and the project's own, without those of the table's data."""
    learned = [t for folder in (FOLDER, *LEARNED_FROM) for t in read_all(folder)]
    known = list({t.name: t for t in [*tables, *learned]}.values())
    whole = library(known)
    return lambda table: whole.without(*(t.name for t in known if t.family == table.family))


@dataclass
class Advisor:
    """`prior_of(table)` is a library that has not seen the table, or False."""

    name: str
    prior_of: Callable[[Table], Library | bool]
    curves: bool = True
    history: bool = True  # False: knows the newest job alone, and which settings are taken
    says_stop: bool = field(default=False, init=False)

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        jobs = [Job.from_record(table.record(k, i)) for i, k in enumerate(tried)]
        if not self.history:
            jobs = [*map(_unseen, jobs[:-1]), jobs[-1]]
        space = SearchSpace.from_record(table.space())
        diagnosis = diagnose_newest(jobs) if self.curves else HEALTHY
        made, _ = propose(jobs, diagnosis, space, prior=self.prior_of(table), curves=self.curves)
        self.says_stop = made[0].stop
        return _key(made[0])


@dataclass
class Guide:
    """The guide's rules to the letter, by `advisor --guide-only`; where it has nothing to say, the setting nearest to it."""

    name: str = "guide verbatim"
    says_stop: bool = field(default=False, init=False)

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None:
        jobs = [Job.from_record(table.record(k, i)) for i, k in enumerate(tried)]
        return _key(advisor.advise(jobs, SearchSpace.from_record(table.space()), guide_only=True).proposal)


def _unseen(job: Job) -> Job:
    nothing = Curve()
    return replace(job, train=nothing, valid=nothing, full_valid=nothing, status="queued")


def _key(proposal: Proposal) -> Key | None:
    h = proposal.hyperparameters
    return None if h is None else tuple(getattr(h, k) for k in KNOBS)
