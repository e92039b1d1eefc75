"""What the subcommands share."""

import argparse
import sys


def new_parser(commands, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """Add a subcommand with its example and the option that all have."""
    parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    return parser


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where the server keeps everything (default: the user's data folder)",
    )


def complain(message: str) -> int:
    """Say what is wrong with the input; returns the exit code."""
    print(f"onprem: {message}", file=sys.stderr)
    return 2
