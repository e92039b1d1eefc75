"""``tracker ui``: MLflow's UI on the store, with the address of the ready-made comparison."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tracker.commands.shared import command


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "ui",
        "Open MLflow's UI on the store, at the comparison of an experiment's or a loop's jobs.",
        "tracker ui support-bot --port 5000",
    )
    parser.add_argument("name", nargs="?", help="an experiment or a loop (default: that of the newest run)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--link", action="store_true", help="print the address only; start nothing")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.errors import InputError
    from tracker.runs import reader
    from tracker.settings import load_env
    from tracker.store import found_uri
    from tracker.ui import check_port, serve
    from tracker.view import view_link

    load_env()
    uri = args.tracking_uri or found_uri()
    if not (args.link or uri.startswith("http")):
        check_port(args.host, args.port)
    name = args.name
    if name is None:
        rows = reader(uri).runs()
        if not rows:
            raise InputError(f"The store {uri} has no runs yet: tracker submit or tracker watch makes some.")
        name = rows[-1].experiment
    address = None if uri.startswith("http") else f"http://{args.host}:{args.port}"
    print(view_link(name, uri, address), flush=True)
    if args.link or uri.startswith("http"):
        return 0
    print("Ctrl-C ends it.", file=sys.stderr)
    return serve(uri, args.host, args.port)
