"""`tracker archive create|verify|import`: a provider's account on disk, before the provider's own copy goes."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tracker.commands.progress import Bar
from tracker.commands.shared import command, endpoint_options, many, open_session

SHOWN = 20  # ids on the terminal; an old account may miss thousands of files


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(
        subparsers,
        "archive",
        "Keep an account's jobs, events, checkpoints and files as served, and rebuild MLflow from them.",
        "tracker archive create rescue/ && tracker archive verify rescue/ && tracker archive import rescue/",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|verify|import")
    create = verbs.add_parser("create", help="archive the account; run again, it goes on where it stood")
    create.add_argument("folder", metavar="DIR")
    create.add_argument("--without-data", action="store_true", help="leave training and validation files out")
    endpoint_options(create)
    verify = verbs.add_parser("verify", help="read every byte and compare it with the manifest")
    verify.add_argument("folder", metavar="DIR")
    restore = verbs.add_parser("import", help="write every archived job into MLflow, with no network")
    restore.add_argument("folder", metavar="DIR")
    restore.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )
    for verb in (create, verify, restore):
        verb.add_argument("--json", action="store_true", help="answer as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry the command out."""
    return {"create": _create, "verify": _verify, "import": _import}[args.verb](args)


def _create(args: argparse.Namespace) -> int:
    from tracker.archive.create import create
    from tracker.archive.store import Archive

    with open_session(args) as session, Bar("jobs") as bar:
        work = create(
            Archive(args.folder),
            session.endpoint,
            session.provider,
            session.settings.host,
            with_data=not args.without_data,
            on_progress=bar.update,
        )
        done = session.wait(work)
    if args.json:
        sets = {"missing": sorted(done.missing), "refused": sorted(done.refused)}
        print(json.dumps(vars(done) | sets, indent=2))
    else:
        print(f"{args.folder}: {done.archived} jobs archived now, {done.unchanged} were there already.")
        if done.missing:
            print(f"The provider does not have any more: {_shown(done.missing)}")
        if done.refused:
            told = "The provider refuses these data files to this key; the next run asks again"
            print(f"{told}: {_shown(done.refused)}")
    for job_id, reason in done.failed.items():
        print(f"{job_id} could not be read: {reason}", file=sys.stderr)
    if done.failed:
        print(f"{len(done.failed)} jobs are left; run the same command again.", file=sys.stderr)
    return 1 if done.failed else 0


def _shown(names: set[str]) -> str:
    more = f" and {len(names) - SHOWN} more (--json lists all)" if len(names) > SHOWN else ""
    return ", ".join(sorted(names)[:SHOWN]) + more


def _verify(args: argparse.Namespace) -> int:
    from tracker.archive.verify import verify

    with Bar("objects") as bar:
        found = verify(args.folder, bar.update)
    if args.json:
        print(json.dumps(vars(found), indent=2))
    else:
        verdict = many(len(found.problems), "problem") if found.problems else "whole"
        print(
            f"{args.folder}: {verdict}; {found.jobs} jobs, {found.objects} objects, {found.bytes / 1e6:.1f} MB."
        )
    for problem in found.problems:
        print(problem, file=sys.stderr)
    return 1 if found.problems else 0


def _import(args: argparse.Namespace) -> int:
    from tracker.archive.restore import restore

    with Bar("jobs") as bar:
        count = restore(args.folder, args.tracking_uri, bar.update)
    print(json.dumps({"jobs": count}) if args.json else f"{count} jobs are in MLflow.")
    return 0
