"""`tracker import PATH`: other people's training logs as runs in MLflow."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tracker.commands.shared import command


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "import",
        "Import training logs: trainer_state.json, result CSVs, LLaMA-Factory, axolotl, Keras, Lightning, W&B, TensorBoard.",
        "tracker import outputs/ results.csv --experiment old-runs",
    )
    parser.add_argument(
        "path", nargs="+", metavar="PATH", help="a log, a run's folder, or a folder of such folders"
    )
    parser.add_argument(
        "--experiment", default="imported", metavar="NAME", help="where the runs go (default: %(default)s)"
    )
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    parser.add_argument("--json", action="store_true", help="answer with the runs as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.importer import import_paths

    done = import_paths(args.path, args.experiment, args.tracking_uri)
    if args.json:
        print(json.dumps(done.runs, indent=2))
    for made in () if args.json else done.runs:
        print(
            f"{made['run_id']} {made['name']}: {made['points']} points from {made['file']} ({made['format']})"
        )
    for problem in done.problems:
        print(problem, file=sys.stderr)
    if done.runs and not args.json:
        print(f"Next: advisor recommend --experiment '{args.experiment}'")
    return 2 if done.problems else 0
