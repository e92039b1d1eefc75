"""A connection per use to the SQLite store in WAL mode.

It knows transactions and rows; what the tables mean is its siblings' business.
"""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onprem.store.schema import TABLES

BUSY_SECONDS = 30  # a writer waits this long for another; writes take milliseconds


class Database:
    """The store's database.

    Parameters
    ----------
    path : pathlib.Path
        The SQLite file; its tables are made when missing.

    Notes
    -----
    Each thread keeps one connection. ``synchronous=FULL``: what a client has seen survives a power cut.
    """

    shared = False  # whether several front ends may use it at once

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self.connection().executescript(TABLES)

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=full")
            self._local.connection = connection
        return self._local.connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; takes the write lock at once, so that what it reads stays true."""
        connection = self.connection()
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def check(self) -> str:
        """Return "ok", or what is damaged."""
        return self.one("pragma quick_check")["quick_check"]

    def one(self, sql: str, *values: Any) -> dict | None:
        """Return the first row, or None."""
        row = self.connection().execute(sql, values).fetchone()
        return dict(row) if row else None

    def all(self, sql: str, *values: Any) -> list[dict]:
        """Return all rows."""
        return [dict(row) for row in self.connection().execute(sql, values)]


def insert(connection: sqlite3.Connection, table: str, row: dict, *, or_ignore: bool = False) -> bool:
    """Insert `row`; dicts and lists become JSON. Returns False where `or_ignore` skipped a row already there."""
    values = [json.dumps(v) if isinstance(v, (dict, list)) else v for v in row.values()]
    marks = ", ".join("?" * len(row))
    sql = f"insert into {table}({', '.join(row)}) values({marks})"
    return connection.execute(sql + (" on conflict do nothing" if or_ignore else ""), values).rowcount > 0
