"""Options that several commands share, and their way to a session."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

#: Lines of a list on the terminal.
TOLD = 20

if TYPE_CHECKING:
    from tracker.session import Session


def many(count: int, thing: str) -> str:
    """Return a count with its noun: ``1 problem``, ``2 problems``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def command(subparsers: Any, name: str, help_line: str, example: str) -> argparse.ArgumentParser:
    """Return the parser of a new command with its example."""
    return subparsers.add_parser(
        name,
        help=help_line,
        description=help_line,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an endpoint and a store. Keys come from the environment or .env alone."""
    group = parser.add_argument_group("endpoint and store (else from the environment or .env)")
    group.add_argument("--base-url", metavar="URL", help="the provider's address (OPENAI_BASE_URL)")
    group.add_argument(
        "--provider", metavar="NAME", help="openai, azure, nebius, together, fireworks, onprem, compatible"
    )
    group.add_argument(
        "--tracking-uri", metavar="URI", help="the MLflow store (MLFLOW_TRACKING_URI, else mlruns/mlflow.db)"
    )


def open_session(args: argparse.Namespace) -> Session:
    """Return a session as the options say."""
    from tracker.session import Session

    return Session(args.base_url, None, args.provider, args.tracking_uri)


def told_aside(session: Session) -> bool:
    """Say what MLflow did not take in this session; True where there was something."""
    aside = session.set_aside()
    if aside:
        print(f"MLflow does not take {len(aside)} things; these runs are not whole:", file=sys.stderr)
        for line in aside[:TOLD]:
            print(f"  {line}", file=sys.stderr)
        if len(aside) > TOLD:
            print(f"  and {len(aside) - TOLD} more", file=sys.stderr)
    return bool(aside)
