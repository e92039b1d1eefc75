"""Measures live stopping: a running job beside one that ended, both at settings drawn from a table, told epoch by epoch.

A stop is wrong where the job would have ended better than the best loss known by more than 0.5 % of the attainable
gain. Nothing that the advisor knows comes from the data that it judges.

python -m experiments.benchmark.live                     # 100 pairs on every table: two minutes
python -m experiments.benchmark.live FOLDER --seed 1     # other tables, other pairs
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from advisor.live import judge
from advisor.nouns import Job, SearchSpace
from advisor.propose.surfaces import Library
from experiments.benchmark.figures import RESAMPLES
from experiments.benchmark.ours import left_out
from experiments.benchmark.tables import FOLDER, LEARNED_FROM, Key, Table, read_all

PAIRS = 100
CURVES = ("train_loss", "valid_loss", "full_valid_loss")
BETTER = 0.005  # of the attainable gain: a better end that a stop has cost


@dataclass(frozen=True)
class Played:
    """One running job: how long it was to be, how much of that a stop saved (0: none), and whether the stop was wrong."""

    table: str
    epochs: int
    saved: int
    wrong: bool


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark.live",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "folders", nargs="*", type=Path, help="folders of *.jsonl.gz tables (default: the project's)"
    )
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs of jobs a table")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    args = parser.parse_args(argv)
    if args.pairs < 1:
        parser.error(f"--pairs {args.pairs}: expected at least 1 pair a table")
    try:
        tables = [t for folder in args.folders or (FOLDER, *LEARNED_FROM) for t in read_all(folder)]
    except (OSError, ValueError) as e:
        parser.error(str(e))
    prior_of = left_out(tables)
    played = [
        play(table, *pair, prior_of(table))
        for table in track(tables, transient=True, console=Console(stderr=True))
        for pair in pairs(table, args.pairs, args.seed)
    ]
    print(markdown(played))
    return 0


def pairs(table: Table, count: int, seed: int) -> list[tuple[Key, Key]]:
    """Settings of the job that ended and of the one that runs."""
    settings = sorted(table.rows)
    draw = random.Random(f"{seed} {table.name}")
    return [(draw.choice(settings), draw.choice(settings)) for _ in range(count)]


def play(table: Table, ended: Key, running: Key, prior: Library | bool) -> Played:
    """Tell the running job's losses up to each epoch's end but the last, until the advisor stops it."""
    first, space = Job.from_record(table.record(ended, 0)), SearchSpace.from_record(table.space())
    record, epochs, full = table.record(running, 1), running[0], table.rows[running]["full"]
    for epoch in range(1, min(epochs, len(full) + 1)):
        job = _running(record, full[epoch - 1][0])
        if judge([first, job], space, prior=prior).stop_now:
            known = min([table.final(ended), *(p[1] for p in full[:epoch] if p[1] is not None)])
            wrong = table.final(running) < known - BETTER * table.gain
            return Played(table.name, epochs, epochs - epoch, wrong)
    return Played(table.name, epochs, 0, False)


def _running(record: dict[str, Any], step: int) -> Job:
    """The job as it stood at that step."""
    curves = {name: [p for p in record[name] if p[0] <= step] for name in CURVES}
    return Job.from_record({**record, **curves, "status": "running"})


def markdown(played: Sequence[Played]) -> str:
    """One row a table and one of all, with 95 % intervals that resample the tables."""
    names = list(dict.fromkeys(p.table for p in played))
    counts = np.array([_counts([p for p in played if p.table == name]) for name in names])
    drawn = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    low, high = np.quantile(_shares(counts[drawn].sum(axis=1)), [0.025, 0.975], axis=0)
    lines = ["| table | pairs | epochs saved | stops | of them wrong |", "|---|---|---|---|---|"]
    for name, row in zip(names, counts, strict=True):
        saved, wrong = _shares(row)
        lines.append(f"| {name} | {row[0]} | {saved:.1%} | {row[3]} | {wrong:.1%} |")
    total = counts.sum(axis=0)
    saved, wrong = (f"{x:.1%} ({a:.1%}-{b:.1%})" for x, a, b in zip(_shares(total), low, high, strict=True))
    return "\n".join([*lines, f"| all | {total[0]} | {saved} | {total[3]} | {wrong} |"])


def _counts(played: Sequence[Played]) -> list[int]:
    """Pairs, epochs, epochs saved, stops and wrong stops."""
    return [
        len(played),
        sum(p.epochs for p in played),
        sum(p.saved for p in played),
        sum(p.saved > 0 for p in played),
        sum(p.wrong for p in played),
    ]


def _shares(counts: np.ndarray) -> np.ndarray:
    """[..., 2]: of the epochs those saved, of the stops those that were wrong."""
    _, epochs, saved, stops, wrong = np.moveaxis(counts, -1, 0)
    return np.stack([saved / np.maximum(1, epochs), wrong / np.maximum(1, stops)], axis=-1)


if __name__ == "__main__":
    sys.exit(main())
