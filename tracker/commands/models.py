"""`tracker models`: the tuned models and checkpoints that MLflow knows of, best loss first."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracker.commands.shared import command

COLUMNS = ("loss", "step", "kind", "model", "base", "experiment", "run_id")


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "models",
        "List tuned models and checkpoints with their best losses.",
        "tracker models --experiment haiku",
    )
    parser.add_argument("--experiment", metavar="NAME", help="of this experiment alone")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.commands.table import print_table
    from tracker.store import found_uri
    from tracker.use.listing import list_models

    found = list_models(args.tracking_uri or found_uri(), args.experiment)
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print("No tuned models yet: `tracker submit` makes one, `tracker sync` fetches those of an account.")
    else:
        print_table(COLUMNS, [[entry[column] for column in COLUMNS] for entry in found])
    return 0
