"""Data files on their way to a provider: checked before, named by digest, sent once however often asked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.endpoint import Endpoint, Item
from tracker.errors import Doubtful, InputError, Missing, ProviderError
from tracker.polite import hopeless, wait_s
from tracker.spool import Spool

if TYPE_CHECKING:
    from tracker.data import FileReport

#: Looks for a file after a doubtful answer, and tries of an upload that was certainly refused.
LOOKS, TRIES = 4, 6


@dataclass(frozen=True)
class DataFile:
    """A checked data file. ``schema`` names its format; text never leaves the file."""

    path: Path
    sha256: str
    n_examples: int
    n_bytes: int
    tokens: int | None = None
    schema: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def sent_name(self) -> str:
        """The file's name at the provider: with its digest, so that it is recognised there."""
        return f"{self.path.stem}-{self.sha256[:12]}{self.path.suffix or '.jsonl'}"


def check(paths: list[Path]) -> list[DataFile]:
    """Check files before upload.

    Raises
    ------
    InputError
        All problems of all files together, each with its line.
    """
    found, problems = [], []
    for path in paths:
        try:
            report = _report(path, *_stamp(path))
        except InputError as error:
            problems += error.problems
            continue
        problems += report.problems
        found.append(_described(path, report))
    if problems:
        raise InputError(problems)
    return found


def _stamp(path: Path) -> tuple[int, int]:
    """What changes with a file's content; of a file that cannot be seen, zeros: the check says what is wrong."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=8)
def _report(path: Path, changed_ns: int, size: int) -> FileReport:
    """Check a file; once for the estimate of its cost and for its submission."""
    from tracker.data import check_file

    return check_file(path)


def _described(path: Path, report: FileReport) -> DataFile:
    schema = json.dumps({"kind": report.kind, **report.schema}, sort_keys=True)
    return DataFile(
        path, report.sha256, report.n_examples, report.size, report.tokens, schema, report.warnings
    )


async def upload(endpoint: Endpoint, spool: Spool, account: str, file: DataFile) -> str:
    """Return the file's id at the provider, sending it only where the provider does not have it yet.

    Raises
    ------
    Doubtful
        Where the answer was lost and the file is not found afterwards; asking again is then safe.
    """
    known = spool.uploaded(account, file.sha256)
    if known and await _there(endpoint, known):
        return known
    for attempt in range(TRIES):
        try:
            sent = await endpoint.upload(file.path, file.sent_name)
        except ProviderError as error:
            if (error.refused and not error.passing) or hopeless(error, endpoint.limit, attempt):
                raise
            sent = None if error.refused else await _look(endpoint, file)
            if sent is None and attempt + 1 == TRIES:
                raise Doubtful(
                    f"Upload of {file.path.name} failed {TRIES} times: {error}", error.status
                ) from None
            if sent is None:
                await asyncio.sleep(wait_s(attempt, error.retry_after))
                continue
        spool.note_upload(account, file.sha256, str(sent["id"]))
        return str(sent["id"])
    raise AssertionError("unreachable: the last try returns or raises")


async def _there(endpoint: Endpoint, file_id: str) -> bool:
    try:
        return (await endpoint.file(file_id)).get("status") != "deleted"
    except Missing:
        return False


async def _look(endpoint: Endpoint, file: DataFile) -> Item | None:
    """Look for a file that may have arrived although the answer was lost."""
    for attempt in range(LOOKS):
        await asyncio.sleep(wait_s(attempt))
        page = await endpoint.files()
        found: Any = next((f for f in page.items if f.get("filename") == file.sent_name), None)
        if found and found.get("bytes") in (None, file.n_bytes):
            return found
    return None
