"""What the command says, and where: answers on standard output, remarks on standard error."""

from __future__ import annotations

import os
import sys

from advisor.tell.ink import Ink, printable


def say(words: str) -> None:
    print(printable(words, sys.stdout.encoding))


def note(words: str) -> None:
    print(f"advisor: {words}", file=sys.stderr)


def ink() -> Ink:
    return Ink(sys.stdout.isatty() and "NO_COLOR" not in os.environ)
