"""``tracker watch``: follow jobs that are there already, whoever made them."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tracker.commands.shared import command, endpoint_options, open_session, told_aside


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "watch",
        "Follow jobs into MLflow until they end. Exit code 1 where one failed, was cancelled or is lost.",
        "tracker watch ftjob-abc123  (or: --all --daemon)",
    )
    parser.add_argument("job", nargs="*", metavar="JOB", help="the provider's ids")
    parser.add_argument("--all", action="store_true", help="whatever the account runs")
    parser.add_argument(
        "--daemon", action="store_true", help="keep on, and follow jobs as they appear; implies --all"
    )
    parser.add_argument("--json", action="store_true", help="answer with the jobs as JSON lines")
    endpoint_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    from tracker.display import Progress
    from tracker.errors import InputError
    from tracker.jobs import LOST

    if not (args.job or args.all or args.daemon):
        raise InputError("Name jobs to follow, or say --all.")
    with open_session(args) as session, Progress() as progress:
        if args.all or args.daemon:
            jobs = session.follow_account(progress.update, forever=args.daemon)
        else:
            jobs = session.follow([session.watch(job_id) for job_id in args.job], on_update=progress.update)
        incomplete = told_aside(session)
        if not jobs:
            print(f"No job runs at {session.settings.base_url} now.", file=sys.stderr)
    for job in jobs:
        if args.json:
            print(json.dumps(vars(job)))
        else:
            print(f"{job.id} {job.status}" + (f": {job.error}" if job.error else ""))
    return 1 if incomplete or any(job.status in ("failed", "cancelled", LOST) for job in jobs) else 0
