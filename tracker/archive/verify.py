"""Verifies an archive: every line of its manifest, every object it names, every byte of them. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracker.archive.store import Archive, Entry
from tracker.data.digest import digest_of


@dataclass
class Verification:
    """What was found: how much there is, and everything that is wrong with it."""

    jobs: int = 0
    objects: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)


def verify(folder: str | Path, on_progress: Callable[[int, int], object] | None = None) -> Verification:
    """Verify an archive.

    Parameters
    ----------
    on_progress
        Is told how many objects of how many are read.

    Raises
    ------
    InputError
        Where the folder is no archive at all. Damage is in the result, not raised.
    """
    found = Verification()
    archive = Archive.open(folder, found.problems)
    found.jobs = len(archive.of_kind("job"))
    if archive.account is None:
        found.problems.append(f"{archive.manifest}: the line that names the account is missing.")
    if not archive.ended:
        found.problems.append(
            f"{archive.manifest}: its end is missing: the last run was cut off, or lines were lost. "
            f"Run: tracker archive create {folder}"
        )
    named = {digest: f"{e['kind']} {e['id']}" for e in archive.entries.values() for digest in digests_of(e)}
    present = {path.name: path for path in archive.objects()}
    for done, (digest, path) in enumerate(present.items(), 1):
        found.objects += 1
        found.bytes += path.stat().st_size
        if digest_of(path) != digest:
            owner = named.get(digest, "nothing in the manifest")
            found.problems.append(f"{path} has changed since it was archived; it belongs to {owner}.")
        if on_progress:
            on_progress(done, len(present))
    found.problems += [
        f"Object {digest} of {owner} is missing." for digest, owner in named.items() if digest not in present
    ]
    return found


def digests_of(entry: Entry) -> Iterator[str]:
    """The objects that a manifest line names."""
    yield from (entry[key] for key in ("job", "raw", "content") if entry.get(key))
    for key in ("results", "data"):
        yield from filter(None, entry.get(key, {}).values())
