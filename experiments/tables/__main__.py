"""Makes a table of real fine-tuning results on your own data.

The table (one JSON line per setting, gzipped) has the format of those in experiments/benchmark/tables, so that the benchmark
and a prior of your own can be built on it. Interrupted and started again, it goes on where it stood.

example:
  python -m experiments.tables --data experiments/data/commands/{train,valid}.jsonl --out my-tables
  python -m experiments.tables --data T.jsonl V.jsonl --out my-tables --epochs 1 3 --batches 8 --multipliers 0.5 1 2
exit codes: 0 done, 1 a job failed, 2 the input or usage is wrong
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path

from .grid import GRIDS, Grid


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    args = _parser().parse_args(argv)
    missing = [f"{path}: no such file" for path in args.data if not path.is_file()]
    grid = _grid(args)
    wrong = missing + [
        f"{value:g} is no value for a hyperparameter: expected one above 0" for value in _below(grid)
    ]
    if wrong:
        print("experiments.tables: " + "\n".join(wrong), file=sys.stderr)
        return 2
    print(f"{len(grid.settings())} jobs, {grid.epochs()} epochs in all")
    return _run(args, grid)


def _run(args: argparse.Namespace, grid: Grid) -> int:
    from experiments.demo import server
    from experiments.errors import DemoFailed

    from .jobs import Server
    from .make import make

    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(1)
    )  # so that the server started here is stopped as well
    train, valid = args.data
    sizes = tuple(sum(1 for text in path.open(encoding="utf-8") if text.strip()) for path in args.data)
    task = args.task or f"{train.resolve().parent.name}_{sizes[0]}"
    with contextlib.ExitStack() as stack:
        key = os.environ.get("OPENAI_API_KEY", "none")
        try:
            base_url = args.base_url or stack.enter_context(server())
            path = make(task, Server(base_url, args.model, train, valid, key), grid, args.out, sizes)
        except (RuntimeError, DemoFailed) as error:
            print(f"experiments.tables: {error}", file=sys.stderr)
            return 1
    print(f"written: {path} ({path.stat().st_size / 1000:.0f} kB)")
    return 0


def _grid(args: argparse.Namespace) -> Grid:
    """Take the named grid, with the axes replaced that were given."""
    named = GRIDS[args.grid]
    return Grid(
        tuple(args.epochs or named.n_epochs),
        tuple(args.batches or named.batch_size),
        tuple(args.multipliers or named.learning_rate_multiplier),
    )


def _below(grid: Grid) -> list[float]:
    return [v for v in (*grid.n_epochs, *grid.batch_size, *grid.learning_rate_multiplier) if not v > 0]


def _parser() -> argparse.ArgumentParser:
    about, _, rest = __doc__.partition("\nexample:")
    parser = argparse.ArgumentParser(
        prog="python -m experiments.tables",
        description=about,
        epilog="example:" + rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", nargs=2, type=Path, required=True, metavar=("TRAIN", "VALID"), help="chat JSONL files")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the table")
    add("--grid", choices=tuple(GRIDS), default="quick", help="named grid (default: %(default)s)")
    add("--epochs", nargs="+", type=int, metavar="N", help="replaces the grid's n_epochs")
    add("--batches", nargs="+", type=int, metavar="N", help="replaces the grid's batch_size")
    add("--multipliers", nargs="+", type=float, metavar="X", help="replaces the learning_rate_multiplier")
    add("--model", default="embedded-tiny", help="base model (default: %(default)s)")
    add("--task", help="name of the table (default: folder of TRAIN, and its number of rows)")
    add("--base-url", metavar="URL", help="a server that runs already (default: an own one is started)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
