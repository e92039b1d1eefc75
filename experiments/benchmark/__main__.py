"""Measures the advisor against its peers on tables of real fine-tuning.

python -m experiments.benchmark            # 8 first jobs a table, peers from the cache: minutes
python -m experiments.benchmark --full     # 24 first jobs, and the ablations on all of them
python -m experiments.benchmark --ranges   # spaces of ranges, drawn finer than what was trained
python -m experiments.benchmark --gain 0.1 # tasks where tuning takes a tenth off the loss
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from experiments.benchmark.cache import FILE, Cache, basis
from experiments.benchmark.dense import dense
from experiments.benchmark.loops import Loop, Method, play
from experiments.benchmark.ours import Advisor, Guide, left_out
from experiments.benchmark.peers import CoordinateSearch, Portfolio, RandomSearch, optuna_peers
from experiments.benchmark.raised import raised
from experiments.benchmark.report import write
from experiments.benchmark.tables import FOLDER, Table, read_all

OURS = "finetune-advisor"
RESULTS = Path(__file__).parent / "results"
PEER_STARTS = 8
RANDOM_SEEDS = 5  # of methods that throw dice; the Gaussian process of Optuna, which is slow, has one


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmark",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="folder of *.jsonl.gz tables")
    parser.add_argument("--full", action="store_true", help="24 first jobs a table in place of 8")
    parser.add_argument("--ranges", action="store_true", help="tables drawn finer, their spaces as ranges")
    parser.add_argument(
        "--gain", type=float, metavar="SHARE", help="losses raised: tuning takes off this share"
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the results (default: results/, or one in it by what is played)"
    )
    parser.add_argument("--no-peers", action="store_true", help="ours and the ablations alone")
    args = parser.parse_args(argv)
    began = time.monotonic()
    try:
        tables = _tables(args)
    except (OSError, ValueError) as e:
        parser.error(str(e))
    starts = 24 if args.full else 8
    loops: dict[str, list[Loop]] = defaultdict(list)
    what = _what(args)
    if not args.no_peers:
        _play_peers(tables, loops, Cache(basis(tables), None if what else FILE))
    _play_ours(tables, starts, loops)
    out = args.out or RESULTS / what
    print(write(loops, OURS, out))
    print(f"{time.monotonic() - began:.0f} s; written to {out}")
    return 0


def _tables(args: argparse.Namespace) -> list[Table]:
    tables = read_all(args.folder)
    if args.gain is not None:
        tables = [raised(t, args.gain) for t in tables]
    return [dense(t) for t in tables] if args.ranges else tables


def _what(args: argparse.Namespace) -> str:
    """What is played in place of the project's tables as they are, and so the name of the results' folder."""
    parts = [args.folder.name] if args.folder != FOLDER else []
    parts += ["ranges"] if args.ranges else []
    parts += [f"gain-{args.gain:g}"] if args.gain is not None else []
    return "-".join(parts)


def variants(tables: Sequence[Table]) -> list[Method]:
    """The advisor and what it is without its parts; nothing that it knows comes from the data that it plays on."""
    others = left_out(tables)
    return [
        Advisor(OURS, others),
        Advisor("ours without curves", others, curves=False),
        Advisor("ours without history", others, history=False),
        Advisor("ours without prior", lambda table: False),
        Guide(),
    ]


def peers(tables: Sequence[Table]) -> list[tuple[Method, int]]:
    """Every peer with its number of seeds; the portfolio where it has something to go by on every table."""
    rest = Portfolio(lambda table: [t for t in tables if t.family != table.family])
    fixed = [(CoordinateSearch(), 1), *([(rest, 1)] if all(map(rest.knows, tables)) else [])]
    slow = [(m, 1 if "GP" in m.name else RANDOM_SEEDS) for m in optuna_peers()]
    return [(RandomSearch(), RANDOM_SEEDS), *fixed, *slow]


def _play_peers(tables: Sequence[Table], loops: dict[str, list[Loop]], cache: Cache) -> None:
    with Progress(transient=True) as bar:
        for method, seeds in peers(tables):
            task = bar.add_task(method.name, total=len(tables) * PEER_STARTS * seeds)
            for table in tables:
                for start in range(PEER_STARTS):
                    for seed in range(seeds):
                        make = partial(play, method, table, start, seed)
                        loops[method.name].append(cache.get(method.name, table.name, start, seed, make))
                        bar.advance(task)
                cache.save()


def _play_ours(tables: Sequence[Table], starts: int, loops: dict[str, list[Loop]]) -> None:
    methods = variants(tables)
    with Progress(transient=True) as bar:
        task = bar.add_task("ours", total=len(methods) * len(tables) * starts)
        for method in methods:
            for table in tables:
                for start in range(starts):
                    loops[method.name].append(play(method, table, start))
                    bar.advance(task)


if __name__ == "__main__":
    sys.exit(main())
