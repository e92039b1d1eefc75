"""Which database a data folder uses: SQLite inside it, or the PostgreSQL that the environment names.

The environment rather than an option, since the URL holds a password and the workers need it too.
"""

import os

from onprem.store.database import Database
from onprem.store.folder import DataFolder

VARIABLE = "ONPREM_DATABASE"  # postgresql://user:password@host/name


def open_database(folder: DataFolder) -> Database:
    """Open the store's database."""
    url = os.environ.get(VARIABLE)
    if not url:
        return Database(folder.database)
    from onprem.store.postgres import Postgres

    return Postgres(url)
