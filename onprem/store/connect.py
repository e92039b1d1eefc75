"""Which database a data folder uses: SQLite inside it, or the PostgreSQL that the environment names.

The environment rather than an option, since the URL holds a password and the workers need it too.
"""

import os
from pathlib import Path

from onprem.store.database import Database
from onprem.store.folder import DataFolder

VARIABLE = "ONPREM_DATABASE"  # postgresql://user:password@host/name


def leave_url(folder: DataFolder) -> None:
    """Leave the URL in the data folder, for its owner alone: for processes that a cluster starts elsewhere.

    Their environment would be shown on the cluster's pages.
    """
    path = _url_file(folder)
    path.unlink(missing_ok=True)
    if url := os.environ.get(VARIABLE):
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(url)


def take_url(folder: DataFolder) -> None:
    """Put the URL that was left, if one was, into this process's environment."""
    path = _url_file(folder)
    if path.exists():
        os.environ[VARIABLE] = path.read_text()


def _url_file(folder: DataFolder) -> Path:
    return folder.root / "database.url"


def open_database(folder: DataFolder) -> Database:
    """Open the store's database."""
    url = os.environ.get(VARIABLE)
    if not url:
        return Database(folder.database)
    from onprem.store.postgres import Postgres

    return Postgres(url)
