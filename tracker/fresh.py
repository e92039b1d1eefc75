"""A fresh SQLite store without waiting for MLflow's migrations, where that is safe.

MLflow builds a new database through all its migrations, some six seconds. A database that went through them is shipped,
empty; it is copied only where its schema revision is the installed MLflow's newest. Otherwise MLflow migrates as ever.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import sqlite3
import tempfile
import uuid
from pathlib import Path

TEMPLATE = Path(__file__).with_name("mlflow_empty.db.gz")

_REVISION = re.compile(r"^(down_)?revision\b[^=]*=\s*(.+)$", re.MULTILINE)
_QUOTED = re.compile(r"['\"]([0-9a-f]{8,})['\"]")


def prepare(path: Path) -> bool:
    """Put the shipped empty database at ``path`` if nothing is there and its schema fits.

    Returns
    -------
    bool
        Whether it was copied. Two processes at once are safe: the file appears whole, once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() or not TEMPLATE.exists():
        return False
    # Not by tempfile, whose files are their owner's alone: who may read the store is for the user's umask to say.
    draft = path.with_name(f".mlflow-{uuid.uuid4().hex}")
    try:
        draft.write_bytes(gzip.decompress(TEMPLATE.read_bytes()))
        if {revision_of(draft)} != newest_revisions():
            return False
        os.link(draft, path)  # fails where another process was first; a rename would replace its database
    except OSError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def revision_of(path: Path) -> str | None:
    """Return the schema revision that a database carries."""
    with sqlite3.connect(path) as db:
        row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    db.close()
    return row[0] if row else None


def newest_revisions() -> set[str]:
    """Return the newest schema revisions of the installed MLflow, read from its migration scripts without running any."""
    spec = importlib.util.find_spec("mlflow")
    if spec is None or not spec.submodule_search_locations:
        return set()
    known: set[str] = set()
    followed: set[str] = set()
    for script in (Path(next(iter(spec.submodule_search_locations))) / "store/db_migrations/versions").glob(
        "*.py"
    ):
        for down, value in _REVISION.findall(script.read_text(encoding="utf-8")):
            (followed if down else known).update(_QUOTED.findall(value))
    return known - followed


def use_wal(path: Path) -> None:
    """Set a local store to write-ahead logging: three times the writes per second, and readers never wait.

    Left alone on network file systems, where write-ahead logging is unsafe; SQLite itself refuses it there as a rule.
    """
    try:
        with sqlite3.connect(path, timeout=20) as db:
            db.execute("PRAGMA journal_mode=WAL")
        db.close()
    except sqlite3.Error:
        return


def make_template(path: Path = TEMPLATE) -> None:
    """Make the shipped database anew with the installed MLflow: ``python -m tracker.fresh``."""
    from tracker.mlflow_client import migrated_database

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "mlflow.db"
        migrated_database(made)
        with sqlite3.connect(made) as db:
            db.execute("VACUUM")
        db.close()
        path.write_bytes(gzip.compress(made.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    make_template()
