"""`tracker compare RUN...`: what differs between runs."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracker.commands.shared import command


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "compare",
        "Print what differs between runs: settings, data, results.",
        "tracker compare RUN1 RUN2",
    )
    parser.add_argument(
        "names", nargs="+", metavar="RUN", help="runs, jobs or tuned models; a single loop means its jobs"
    )
    parser.add_argument("--all", action="store_true", help="also what is the same in all")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.commands.table import print_table
    from tracker.store import found_uri
    from tracker.use.compare import compare

    found = compare(args.names, args.tracking_uri or found_uri())
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    shown = [row for row in found["rows"] if args.all or not row["same"]]
    print_table(
        ["", *(run["name"] for run in found["runs"])], [[row["what"], *row["values"]] for row in shown]
    )
    same = len(found["rows"]) - len(shown)
    if same:
        print(f"{same} further values are the same in all; --all shows them.")
    return 0
