"""A file's SHA-256, read piece by piece: by it a file is known wherever it lies."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

READ_SIZE = 2**20


def digest_of(path: str | Path) -> str:
    """A file's SHA-256 as hexadecimal digits; raises OSError where it cannot be read."""
    digest = sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(READ_SIZE):
            digest.update(chunk)
    return digest.hexdigest()
