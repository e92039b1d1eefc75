"""Where a report goes, for `advisor report` alone: a file that is all there or as it was, or standard output.

The command's other hand, and a door as it is: nothing else of the advisor writes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shutil import copymode

from advisor.tell.by_ending import is_report
from advisor.tell.failure import UsageError

STDOUT = "-"


def must_lose_nothing(output: str, source: str) -> None:
    """Raise UsageError where the file is not a report of ours: such a one may be replaced, and nothing else."""
    target, read_from = Path(output), Path(source)
    if output == STDOUT or not target.is_file() or not target.stat().st_size:
        return
    if not is_report(output, target.read_bytes()) or (read_from.exists() and target.samefile(read_from)):
        raise UsageError([f"{output} is there and no report, and would be lost; name another file for it"])


def put(output: str, text: str) -> None:
    """All of it or nothing: what was there stays until the whole new file is, on a full disk too."""
    if output == STDOUT:
        sys.stdout.buffer.write(text.encode())
        return
    target = Path(output)
    if target.exists() and not target.is_file():  # a pipe, or /dev/stdout
        target.write_text(text, encoding="utf-8")
        return
    try:
        _replace(target.resolve(), text)  # what a link points at, and not the link
    except OSError as error:
        raise OSError(error.errno, error.strerror, output) from error


def _replace(target: Path, text: str) -> None:
    part = target.with_name(f".advisor-{os.getpid()}.part")  # each process its own
    try:
        part.write_text(text, encoding="utf-8")
        if target.exists():
            copymode(target, part)
        part.replace(target)
    except BaseException:  # Ctrl-C leaves nothing behind either
        part.unlink(missing_ok=True)
        raise
