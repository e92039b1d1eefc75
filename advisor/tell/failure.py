"""What went wrong, in lines for the user, and the exit code that says whose fault it was."""

from __future__ import annotations

from collections.abc import Iterable

# By name: the modules that define them take time to import and may not be loaded.
WRONG_INPUT = ("UsageError", "RecordError", "UnknownRule", "ReadError")

MOST = 20

REMEDIES = {
    FileNotFoundError: "no such file or folder; make the folder first, or name another",
    IsADirectoryError: "is a folder; name a file in it",
    PermissionError: "not allowed; name another place, or ask for the right to it",
}


class UsageError(Exception):
    """The command line or an input is wrong; `problems` lists everything, one line each."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


def exit_code(error: Exception) -> int | None:
    """2 for wrong input, 1 for failed work, None for what is neither: a bug."""
    if type(error).__name__ in WRONG_INPUT:
        return 2
    if hasattr(error, "exit_code"):  # tracker's errors carry theirs
        return error.exit_code
    return 1 if isinstance(error, OSError) else None


def problem_lines(error: Exception) -> list[str]:
    """The problems that the error holds, one a line: MOST of them, for of a file of something else each row is one."""
    if isinstance(error, OSError) and error.filename:
        return [f"{error.filename}: {REMEDIES.get(type(error), error.strerror)}"]
    lines = list(getattr(error, "problems", None) or str(error).splitlines() or [type(error).__name__])
    return lines[:MOST] + ([f"and {len(lines) - MOST:,} more"] if len(lines) > MOST else [])
