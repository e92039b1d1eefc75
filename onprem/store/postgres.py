"""The same store on PostgreSQL, so that several front ends can share it.

The statements are written for SQLite in what both understand; here question marks become psycopg's, and the types
of the tables PostgreSQL's. One advisory lock makes writers take turns, as SQLite's do.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from onprem.store.database import Database
from onprem.store.schema import TABLES

WRITERS = 72170  # the advisory lock's number: any, the same for all front ends
TYPES = {
    "integer primary key autoincrement": "bigserial primary key",
    " integer": " bigint",
    " real": " double precision",
}


class Connection:
    """A psycopg connection that takes SQLite's placeholders."""

    def __init__(self, url: str) -> None:
        import psycopg
        from psycopg.rows import dict_row

        self.inner = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def execute(self, sql: str, values: Any = ()) -> Any:
        """Execute one statement; returns psycopg's cursor."""
        return self.inner.execute(sql.replace("?", "%s"), tuple(values))


class Postgres(Database):
    """The store's database on a PostgreSQL server.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host/name``; its tables are made when missing.
    """

    shared = True

    def __init__(self, url: str) -> None:
        self.url = url
        self._local = threading.local()
        tables = TABLES
        for ours, theirs in TYPES.items():
            tables = tables.replace(ours, theirs)
        with self.transaction() as connection:
            connection.inner.execute(tables)

    def connection(self) -> Connection:
        """Return this thread's connection; a broken one is replaced."""
        if not hasattr(self._local, "connection") or self._local.connection.inner.broken:
            self._local.connection = Connection(self.url)
        return self._local.connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write all or nothing, one writer at a time."""
        connection = self.connection()
        with connection.inner.transaction():
            connection.execute("select pg_advisory_xact_lock(?)", (WRITERS,))
            yield connection

    def check(self) -> str:
        """Return "ok": PostgreSQL looks after itself, and a broken server does not answer."""
        self.one("select 1")
        return "ok"
