"""An archive on disk: bytes under their SHA-256, and a manifest that says what they are.

    DIR/manifest.jsonl       one line per thing archived, appended as it is done; the last line for an id counts
    DIR/objects/ab/abcd...   the bytes, named by their SHA-256; nothing is changed; only what is damaged is written again

Each manifest line carries a digest of itself. A line that was cut off by a crash is the last one and is left out; its
job is then simply not archived yet. Whoever has added all there is says so in a last line: without it the archive is
not whole. This module knows nothing of jobs.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tracker.data.digest import digest_of
from tracker.errors import InputError

MANIFEST, OBJECTS, DRAFTS = "manifest.jsonl", "objects", "drafts"
VERSION = 1
END = "end"  # the kind of the line after which nothing is left to add
CHECK = "check"  # the digest of a line's other fields
LOOK = "`tracker archive verify` names all that is damaged."

Entry = dict[str, Any]


class Archive:
    """An archive's folder. `entries` holds the newest line of each (kind, id).

    Parameters
    ----------
    folder
        The archive's folder.
    damage
        Is given each problem of the manifest instead of raising at the first.
    """

    def __init__(self, folder: str | Path, damage: list[str] | None = None):
        self.folder = Path(folder)
        self.manifest = self.folder / MANIFEST
        self._sound: set[str] = set()  # objects that this process has written or read whole
        self._read(damage)

    @classmethod
    def open(cls, folder: str | Path, damage: list[str] | None = None) -> Archive:
        """Open an archive that must exist."""
        if not (Path(folder) / MANIFEST).is_file():
            raise InputError(
                f"{folder} is no archive: it has no {MANIFEST}. Make one by `tracker archive create`."
            )
        return cls(folder, damage)

    @property
    def account(self) -> Entry | None:
        """Whose jobs these are: provider and host; None while the archive is empty."""
        return self.entries.get(("account", ""))

    def lock(self) -> None:
        """Keep others from adding to the archive until `unlock`, or this process's end.

        Raises
        ------
        InputError
            Another process is adding to it, or the folder cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise InputError(
                f"{self.folder} cannot be written to ({error.strerror}); name another folder."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{self.folder} is being written by another process; wait until it ends."
            ) from error
        self._read(None)  # what the other process added in the meantime
        for draft in (self.folder / DRAFTS).glob("*"):  # of a process that was killed
            draft.unlink()

    def unlock(self) -> None:
        """Let others add to the archive again."""
        self._lock.close()

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of a kind, in the order first archived."""
        return [entry for (own, _), entry in self.entries.items() if own == kind]

    def add(self, kind: str, name: str, **fields: Any) -> None:
        """Append a line to the manifest; once this returns, a crash no longer loses it."""
        entry: Entry = {"kind": kind, "id": name, **fields}
        line = json.dumps({**entry, CHECK: _check(entry)}, separators=(",", ":")).encode() + b"\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.manifest.open("r+b" if self.manifest.exists() else "w+b") as file:
            file.truncate(self._length)  # a line cut off by a crash gives way
            file.seek(self._length)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._length += len(line)
        self.entries[kind, name] = entry
        self.ended = kind == END

    def keep(self, data: bytes) -> str:
        """Keep bytes and return their digest."""
        digest = sha256(data).hexdigest()
        if not self.has(digest):
            draft = self._draft()
            draft.write_bytes(data)
            self._place(draft, digest)
        return digest

    async def keep_stream(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Keep a stream of any length without holding it in memory; returns its digest and size in bytes."""
        digest, size, draft = sha256(), 0, self._draft()
        try:
            with draft.open("wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            self._place(draft, digest.hexdigest())
        finally:
            draft.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def load(self, digest: str) -> bytes:
        """The bytes of a digest; raises InputError where they are gone or changed."""
        try:
            data = self.path_of(digest).read_bytes()
        except OSError as error:
            raise InputError(
                f"{self.folder}: object {digest} is missing ({error.strerror}). {LOOK}"
            ) from error
        if sha256(data).hexdigest() != digest:
            raise InputError(f"{self.folder}: object {digest} has changed since it was archived. {LOOK}")
        return data

    def has(self, digest: str | None) -> bool:
        """Whether the bytes of a digest are there and sound; each object is read once at most."""
        if digest is None or digest in self._sound:
            return digest is not None
        path = self.path_of(digest)
        if path.is_file() and digest_of(path) == digest:
            self._sound.add(digest)
        return digest in self._sound

    def path_of(self, digest: str) -> Path:
        return self.folder / OBJECTS / digest[:2] / digest

    def objects(self) -> Iterator[Path]:
        """Every object's file."""
        yield from sorted((self.folder / OBJECTS).glob("??/*"))

    def _draft(self) -> Path:
        drafts = self.folder / DRAFTS
        drafts.mkdir(parents=True, exist_ok=True)
        return drafts / f"{os.getpid()}-{os.urandom(6).hex()}"

    def _place(self, draft: Path, digest: str) -> None:
        """Put a whole draft in its place; on disk before the manifest may name it."""
        path = self.path_of(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
        self._sound.add(digest)

    def _read(self, damage: list[str] | None) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self._length = 0  # bytes of whole lines
        self.ended = False  # whether nothing is left to add
        problems = damage if damage is not None else []
        for entry in self._lines(problems):
            self.entries[entry["kind"], entry["id"]] = entry
            self.ended = entry["kind"] == END
        if damage is None and problems:
            mend = "Restore a copy of it; or delete these lines and archive again: what they named is then read once more."
            raise InputError([*problems, mend])

    def _lines(self, problems: list[str]) -> Iterator[Entry]:
        data = self.manifest.read_bytes() if self.manifest.exists() else b""
        for number, line in enumerate(data.splitlines(keepends=True), 1):
            if not line.endswith(b"\n"):
                self.ended = False
                return  # cut off while being written
            entry = _parse(line)
            self._length += len(line)
            if entry is None:
                problems.append(f"{self.manifest}: line {number} is damaged.")
            else:
                yield entry


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder's names, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parse(line: bytes) -> Entry | None:
    """A manifest line, None where it is not what was written."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.pop(CHECK, None) != _check(entry):
        return None
    return entry


def _check(entry: Entry) -> str:
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]
