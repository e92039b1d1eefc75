"""Plays tuning loops on a table: a first job, then whatever a method asks for, until it stops or the jobs end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from experiments.benchmark.tables import Key, Table

JOBS = 14
TARGET = 0.02  # share of the attainable gain: near enough to the best


class Method(Protocol):
    """Asks for the next setting of a table, given those tried in order; None: it stops for good."""

    name: str

    def next(self, table: Table, tried: Sequence[Key], seed: int) -> Key | None: ...


@dataclass(frozen=True)
class Loop:
    """One loop: its regrets after each job, and after how many jobs the method said stop (None: never)."""

    table: str
    method: str
    start: int
    seed: int
    regrets: tuple[float, ...]  # lowest so far, length JOBS
    stopped: int | None = None

    @property
    def jobs_to_target(self) -> int:
        """Jobs until the regret is at most TARGET, played on past a stop; one more than were allowed where it never is."""
        return next((i + 1 for i, r in enumerate(self.regrets) if r <= TARGET), JOBS + 1)

    @property
    def jobs_to_target_or_stop(self) -> int:
        """The same where a stop ends the loop: one that stops short of the target never gets there."""
        if self.stopped is not None and self.jobs_to_target > self.stopped:
            return JOBS + 1
        return self.jobs_to_target


def play(method: Method, table: Table, start: int, seed: int = 0, jobs: int = JOBS) -> Loop:
    """One loop from the table's first job number `start`."""
    tried = [table.starts(start + 1)[start]]
    stopped = None
    while len(tried) < jobs:
        asked = method.next(table, tried, seed)
        if stopped is None and getattr(method, "says_stop", False):
            stopped = len(tried)
        if asked is None:
            stopped = stopped or len(tried)
            break
        if asked not in table.rows or asked in tried:
            raise ValueError(
                f"{method.name} asked for {asked}; expected a setting of {table.name} not tried yet"
            )
        tried.append(asked)
    regrets = [min(table.regret(k) for k in tried[: i + 1]) for i in range(len(tried))]
    regrets += [regrets[-1]] * (jobs - len(regrets))
    return Loop(table.name, method.name, start, seed, tuple(regrets), stopped)
