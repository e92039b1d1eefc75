"""The `onprem` command. Each subcommand imports what it needs when it runs: --help answers in a blink."""

import argparse
import sys

from onprem.commands import PARSERS
from onprem.commands.common import complain

EXAMPLE = """examples:
  onprem serve --port 8321
  onprem models add my-model /models/my-model
  onprem keys add alice --tenant research
  onprem doctor
"""


def build() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="onprem", description="An OpenAI-compatible fine-tuning server on your own machine.",
        epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in PARSERS:
        add(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns 0 done, 1 the work failed, 2 wrong input or usage."""
    arguments = build().parse_args(argv)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from onprem.store.folder import FolderError  # only now: --help needs nothing of the store

        if isinstance(error, FolderError):
            return complain(str(error))
        raise


if __name__ == "__main__":
    sys.exit(main())
