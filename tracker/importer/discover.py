"""Finds training histories in a folder tree: one file a run, the fullest account of it. Reads no content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tracker.readers import find_here

SKIPPED = frozenset({".git", ".venv", "node_modules", "__pycache__", "mlruns", "site-packages"})


def discover(path: str | Path) -> Iterator[Path]:
    """The files to read under a path: itself where it is a file, else one per run's folder, in order of path."""
    path = Path(path)
    if not path.is_dir():
        yield path
        return
    here = find_here(path)
    if here:
        yield here
        return  # a run's folder: what lies deeper are its checkpoints
    for child in sorted(path.iterdir()):
        if child.is_dir() and not child.is_symlink() and child.name not in SKIPPED:
            yield from discover(child)
