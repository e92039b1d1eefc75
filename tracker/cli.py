"""The command ``tracker``: a dispatcher. Each command is a file of ``tracker/commands``, listed here."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib import import_module
from typing import NoReturn

COMMANDS = (
    "submit",
    "watch",
    "sync",
    "ui",
    "data",
    "import_",
    "archive",
    "models",
    "eval",
    "chat",
    "promote",
    "compare",
)

EXAMPLES = """examples:
  tracker submit train.jsonl --valid valid.jsonl --model gpt-4o-mini
  tracker watch --all
  tracker ui
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors show no key: one pasted in the wrong place is repeated otherwise."""

    def error(self, message: str) -> NoReturn:
        from tracker.scrub import masked

        super().error(masked(message))


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. Light: a command's work is imported when it runs."""
    top = _Parser(
        prog="tracker",
        description="Every fine-tuning job, from every provider, in MLflow while it runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"tracker.commands.{name}").add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command: 0 done, 1 the work failed, 2 the input or the usage is wrong."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for name in ("mlflow", "alembic", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # that MLflow is asked again is told once it has failed
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    from tracker.errors import TrackerError
    from tracker.garbage import collect_seldom

    collect_seldom()
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, say `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except TrackerError as error:
        print(f"tracker {args.command}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a full disk, a folder that is not ours
        print(f"tracker {args.command}: {error.filename or 'the disk'}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; jobs at the provider go on. The same command goes on from here.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
