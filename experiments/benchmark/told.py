"""Measures how often what is told came true: in the advisor's loops, and after jobs that were made without it.

The next setting, its chance of a gain that matters, its 8-in-10 range and the word to stop are asked for on histories out of
a table, and set against what the table says. Nothing that the advisor knows comes from the data that it judges.

python -m experiments.benchmark.told                    # two minutes on two cores
python -m experiments.benchmark.told FOLDER --seed 1    # other tables, other draws
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor import advise
from advisor.nouns import Job, SearchSpace
from advisor.propose.acquire import MATTERS
from advisor.propose.surfaces import Library
from experiments.benchmark.loops import TARGET
from experiments.benchmark.ours import left_out
from experiments.benchmark.tables import FOLDER, KNOBS, LEARNED_FROM, Key, Table, read_all

LOOP = 8  # jobs of a loop
RANDOM = (2, 3, 5, 8, 12, 20, 40)  # settings of a random search
SWEEPS = 3  # of a history that tries one knob after the other
EVER = 0.003  # no chance is nought: a log loss would be infinite


@dataclass(frozen=True)
class Told:
    """What was told after a history, and what came; shares are of the attainable gain."""

    kind: str  # how the history was made
    chance: float | None  # of a gain that matters; None: no figure was told
    came: bool  # whether it came
    held: bool | None  # whether the loss came to lie in the range
    stop: bool
    short: bool  # whether the best so far misses more than TARGET
    brings: float  # share of the gain that the named setting takes off the best


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.told",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "folders", nargs="*", type=Path, help="folders of *.jsonl.gz tables (default: the project's)"
    )
    parser.add_argument("--draws", type=int, default=3, help="histories of each kind a table")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    args = parser.parse_args(argv)
    if args.draws < 1:
        parser.error(f"--draws {args.draws}: expected at least 1 history of each kind a table")
    try:
        tables = [t for folder in args.folders or (FOLDER, *LEARNED_FROM) for t in read_all(folder)]
    except (OSError, ValueError) as e:
        parser.error(str(e))
    prior_of = left_out(tables)
    work = [(t, prior_of(t), f"{args.seed} {draw}") for t in tables for draw in range(args.draws)]
    with ProcessPoolExecutor() as workers:
        told = [x for some in workers.map(_all_kinds, *zip(*work, strict=True)) for x in some]
    print(markdown(told))
    return 0


def _all_kinds(table: Table, prior: Library | bool, seed: str) -> list[Told]:
    return [told for kind in (loop, searched, resumed, swept) for told in kind(table, prior, seed)]


def loop(table: Table, prior: Library | bool, seed: str) -> Iterator[Told]:
    """The advisor's own jobs, from one at random."""
    return _go_on("in its own loops", table, prior, [_draw(table, seed).choice(sorted(table.rows))], LOOP)


def _some(table: Table, draw: random.Random, count: int) -> list[Key]:
    """So many random settings, or as many as leave one of a small table."""
    return draw.sample(sorted(table.rows), max(1, min(count, len(table.rows) - 1)))


def searched(table: Table, prior: Library | bool, seed: str) -> Iterator[Told]:
    """Random settings, as a random search tries."""
    draw = _draw(table, seed)
    for count in RANDOM:
        yield from _go_on("after random settings", table, prior, _some(table, draw, count), 1)


def resumed(table: Table, prior: Library | bool, seed: str) -> Iterator[Told]:
    """Loops that begin with random settings."""
    draw = _draw(table, seed)
    tried = _some(table, draw, draw.choice(RANDOM))
    yield from list(_go_on("in loops that begin with these", table, prior, tried, LOOP))[1:]


def swept(table: Table, prior: Library | bool, seed: str) -> Iterator[Told]:
    """One knob after the other, three values each, from the best so far."""
    draw = _draw(table, seed)
    best, tried = draw.choice(sorted(table.rows)), []
    for knob in draw.sample(range(3), SWEEPS):
        for value in draw.sample(table.axes[knob], min(3, len(table.axes[knob]))):
            key = tuple(value if i == knob else v for i, v in enumerate(best))
            if key not in tried:
                tried.append(key)
        best = min(tried, key=table.final)
        yield from _go_on("after one knob at a time", table, prior, list(tried), 1)


def _draw(table: Table, seed: str) -> random.Random:
    return random.Random(f"{seed} {table.name}")


def _go_on(kind: str, table: Table, prior: Library | bool, tried: list[Key], count: int) -> Iterator[Told]:
    """What is told next, `count` times, each time with the named setting added to those tried."""
    space = SearchSpace.from_record(table.space())
    for _ in range(count):
        jobs = [Job.from_record(table.record(key, i)) for i, key in enumerate(tried)]
        proposal = advise(jobs, space, prior=prior).proposal
        if proposal.hyperparameters is None:
            return
        key = tuple(getattr(proposal.hyperparameters, knob) for knob in KNOBS)
        best, loss, told = min(map(table.final, tried)), table.final(key), proposal.forecast
        yield Told(
            kind,
            told and told.chance,
            best - loss > MATTERS * table.gain,
            told.low <= loss <= told.high if told and told.low is not None else None,
            proposal.stop,
            (best - table.best) / table.gain > TARGET,
            max(best - loss, 0.0) / table.gain,
        )
        tried = [*tried, key]


def markdown(told: Sequence[Told]) -> str:
    """A row for each kind of history."""
    lines = [
        "| history | proposals | chance told | gains that came | log loss | ranges that held | stops | of them short of 2 % | "
        "gain that the next job would bring after them |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(t.kind for t in told):
        some = [t for t in told if t.kind == kind]
        sure = [t for t in some if t.chance is not None]
        chance = np.clip([t.chance for t in sure], EVER, 1 - EVER)
        came = np.array([t.came for t in sure])
        loss = -np.log(np.where(came, chance, 1 - chance))
        held, stops = [t.held for t in some if t.held is not None], [t for t in some if t.stop]
        lines.append(
            f"| {kind} | {len(some)} | {_mean(chance, '.0%')} | {_mean(came, '.0%')} | {_mean(loss, '.2f')} | "
            f"{_mean(held, '.0%')} | {len(stops)} | {_mean([t.short for t in stops], '.0%')} | "
            f"{_mean([t.brings for t in stops], '.1%')} |"
        )
    return "\n".join(lines)


def _mean(values: Sequence[float] | np.ndarray, form: str) -> str:
    return format(float(np.mean(values)), form) if len(values) else "-"


if __name__ == "__main__":
    sys.exit(main())
