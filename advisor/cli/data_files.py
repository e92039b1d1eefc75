"""The data files that the command looks at: those named, or those that the newest job was trained on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.cli.sources import must_exist, text_of
from advisor.cli.terminal import note
from advisor.tell.failure import exit_code, problem_lines

if TYPE_CHECKING:
    from advisor.datacheck import Report
    from advisor.nouns import Finding
    from advisor.tell.request import Request

DATA = ("train_file", "valid_file", "validation_examples")  # a record's fields that name data files
LOOKED_AT = 8 * 2**20  # bytes of data files that are looked at without being asked: some seconds


def findings_of(request: Request) -> list[Finding]:
    """Findings on the newest job's data files, where these are still on this machine; never a reason to fail."""
    from advisor.tell.command import path_of

    record = request.records[-1] if request.records else {}
    paths = [path if (path := path_of(record, key)) and Path(path).is_file() else None for key in DATA]
    size = sum(Path(path).stat().st_size for path in paths if path)
    if size > LOOKED_AT:
        note(f"the data have {size >> 20} MB: `advisor data` looks at them")
        return []
    try:
        train, *others = [
            _unchanged(path, record[key]) if path else None for path, key in zip(paths, DATA, strict=True)
        ]
        return list(check_files(train, *others).findings) if train else []
    except Exception as error:
        if exit_code(error) is None:
            raise
        note(f"the data were not looked at: {problem_lines(error)[0]}")
        return []


def _unchanged(path: str, recorded: dict[str, Any]) -> str | None:
    """The path, where the file still holds what the job was trained on, as far as its digest is known."""
    from tracker.data import digest_of

    if recorded.get("sha256") in (None, digest_of(path)):
        return path
    note(f"{path} has changed since the job was trained on it, and is not looked at")
    return None


def check_files(train: str, valid: str | None, losses: str | None) -> Report:
    from advisor.datacheck import check
    from advisor.datacheck.losses import read_losses

    known = read_losses(text_of(losses), losses) if losses else None
    return check(_rows(train), _rows(valid) if valid else None, losses=known)


def _rows(path: str) -> Iterable[Any]:
    from tracker.data import rows

    must_exist(path)
    return rows(path)
