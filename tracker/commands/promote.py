"""`tracker promote RUN`: a tuned model into MLflow's model registry, under an alias."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracker.commands.shared import command


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "promote",
        "Register a tuned model in MLflow's registry and give it an alias.",
        "tracker promote 3f2a9c... --name support-bot --alias champion",
    )
    parser.add_argument(
        "run_name", metavar="RUN", help="a run, a job, or a tuned model; of a loop, its best job"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="the registered model (default: the experiment's name)"
    )
    parser.add_argument(
        "--alias", default="champion", help="the alias that moves to it (default: %(default)s)"
    )
    parser.add_argument(
        "--checkpoint", type=int, metavar="STEP", help="the checkpoint of this step, not the final model"
    )
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.store import found_uri
    from tracker.use.promote import promote

    uri = args.tracking_uri or found_uri()
    done = promote(args.run_name, uri, registered=args.name, alias=args.alias, step=args.checkpoint)
    if args.json:
        print(json.dumps(done, indent=2))
    else:
        print(f"{done['model']} is version {done['version']} of {done['name']}, alias {done['alias']}.")
        print(
            f"Its name at the provider: MlflowClient().get_model_version_by_alias({done['name']!r}, {done['alias']!r}).tags['model']"
        )
    return 0
