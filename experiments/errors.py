"""What can be wrong with how a loop is called: each says what happened, what was expected, and what to do."""

from __future__ import annotations

from pathlib import Path


class UsageError(ValueError):
    """The input or the call is wrong: exit code 2."""


class SpecError(UsageError):
    """A SPEC.toml cannot be used. `problems` has one sentence per mistake."""

    def __init__(self, path: Path | str, problems: list[str]):
        self.problems = problems
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        hint = "`experiments spec --explain` lists every key with its meaning."
        super().__init__(f"{path}: {count}{_list(problems)}\n{hint}")


class LoopChanged(UsageError):
    """A loop of this name exists and was begun with another spec."""

    def __init__(self, name: str, differences: list[str]):
        super().__init__(
            f"loop {name!r} was begun with another spec:{_list(differences)}\n"
            "Restore the spec to go on, choose another name, or begin afresh with --new. "
            "A budget can be changed for one call by --max-jobs, --max-trained-tokens and --max-cost."
        )


class LoopBusy(UsageError):
    """Another process runs this loop."""

    def __init__(self, name: str, pid: str):
        super().__init__(
            f"loop {name!r} is already being run by process {pid or '(unknown)'}; "
            f"wait for it, or look at it with `experiments status {name}`"
        )


class NoSuchLoop(UsageError):
    """No loop of this name is in the store."""

    def __init__(self, name: str, store: str, known: list[str]):
        super().__init__(f"there is no loop {name!r} in {store}; known loops: {', '.join(known) or 'none'}")


class JobLost(RuntimeError):
    """The provider does not know a job of the loop (any more): exit code 1."""

    def __init__(self, job: str, loop: str, error: str | None):
        super().__init__(
            f"the provider does not know job {job} of loop {loop!r} any more{f' ({error})' if error else ''}; "
            "expected the account or the server that the loop was begun with. "
            "Check --base-url and the key, or begin afresh with --new."
        )


class DemoFailed(RuntimeError):
    """The demo's server did not start or did not live: exit code 1."""


def _list(lines: list[str]) -> str:
    return "".join(f"\n  - {line}" for line in lines)
