"""The spool: a SQLite file where everything bound for MLflow waits until MLflow has it.

What is put here survives kill -9. Entries leave in the order they came, only after MLflow took them; being taken twice
changes nothing there, so a crash between the two is harmless. It does not know MLflow.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

#: Bytes waiting at most, unless TRACKER_SPOOL_MB says otherwise: about 4 million points. Full, reading from the
#: provider stops until there is room: the provider keeps what was not read.
LIMIT_BYTES = 256_000_000

#: The part of the limit after whose putting the spool is weighed again: weighing reads every entry that waits, and done
#: at each job it made an import of n jobs take n x n steps.
WEIGH_EACH = 0.01

#: Bytes taken at once: what the writer holds in memory.
TAKEN_BYTES = 8_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, store TEXT, target TEXT, kind TEXT, bytes INTEGER, body TEXT);
CREATE INDEX IF NOT EXISTS by_target ON entries (store, target, seq);
CREATE INDEX IF NOT EXISTS by_age ON entries (store, seq);
CREATE TABLE IF NOT EXISTS refused (at TEXT DEFAULT CURRENT_TIMESTAMP, store TEXT, target TEXT, kind TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS uploads (account TEXT, sha256 TEXT, file_id TEXT, PRIMARY KEY (account, sha256));
"""


class Entry(NamedTuple):
    """One thing to be written: ``kind`` and ``body`` for the run that ``target`` names."""

    seq: int
    target: str
    kind: str
    body: Any


class Spool:
    """The spool of one MLflow store; several may share the file.

    Parameters
    ----------
    path
        The SQLite file; its folder is made.
    store
        The tracking URI that the entries are bound for.
    """

    def __init__(self, path: Path, store: str, limit_bytes: int | None = None):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.limit = limit_bytes or int(float(os.environ.get("TRACKER_SPOOL_MB", 0)) * 1e6) or LIMIT_BYTES
        self._store = store
        self._unweighed: float = self.limit  # bytes put since the last weighing; a spool found may be full
        self._lock = threading.Lock()
        self.changed = threading.Event()
        self._db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # NORMAL loses nothing when a process dies, only the last commits when the machine does; those are read again.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def put(self, target: str, things: list[tuple[str, Any]]) -> None:
        """Add things for one run, all or none of them.

        Parameters
        ----------
        things
            ``(kind, body)`` pairs; a body is anything JSON can hold.
        """
        rows = []
        for kind, body in things:
            text = json.dumps(body, separators=(",", ":"))
            rows.append((self._store, target, kind, len(text), text))
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO entries (store, target, kind, bytes, body) VALUES (?, ?, ?, ?, ?)", rows
            )
        self._unweighed += sum(row[3] for row in rows)
        self.changed.set()

    def oldest(self, skip: Collection[str] = ()) -> list[Entry]:
        """Return what waits for the run that has waited longest, in order, at most ``TAKEN_BYTES`` of it.

        The entries stay until :meth:`drop`.

        Parameters
        ----------
        skip
            Targets that are left out.
        """
        others = f" AND target NOT IN ({','.join('?' * len(skip))})" if skip else ""
        first = f"SELECT target FROM entries WHERE store = ?{others} ORDER BY seq LIMIT 1"
        sql = "SELECT seq, target, kind, body, bytes FROM entries WHERE store = ? AND target = ? ORDER BY seq"
        rows, size = [], 0
        with self._lock:
            found = self._db.execute(first, (self._store, *skip)).fetchone()
            for *row, weight in self._db.execute(sql, (self._store, found[0])) if found else ():
                rows.append(row)
                size += weight
                if size >= TAKEN_BYTES:
                    break
        return [Entry(seq, target, kind, json.loads(body)) for seq, target, kind, body in rows]

    def drop(self, entries: list[Entry]) -> None:
        """Forget entries that MLflow has taken."""
        with self._transaction() as db:
            db.executemany("DELETE FROM entries WHERE seq = ?", [(entry.seq,) for entry in entries])

    def refuse(self, entry: Entry, reason: str) -> None:
        """Set an entry aside that MLflow will never take, with the reason (and without its content)."""
        with self._transaction() as db:
            row = (self._store, entry.target, entry.kind, reason)
            db.execute("INSERT INTO refused (store, target, kind, reason) VALUES (?, ?, ?, ?)", row)
            db.execute("DELETE FROM entries WHERE seq = ?", (entry.seq,))

    def refusals(self, after: int = 0) -> list[tuple[int, str, str]]:
        """Return what was set aside since: number, target and reason of each entry, oldest first."""
        sql = "SELECT rowid, target, kind, reason FROM refused WHERE store = ? AND rowid > ? ORDER BY rowid"
        with self._lock:
            rows = self._db.execute(sql, (self._store, after)).fetchall()
        return [(number, target, f"{kind}: {reason}") for number, target, kind, reason in rows]

    def waiting(self, target: str | None = None, until: int | None = None) -> int:
        """Return how many entries wait, for one run or in all, at most those up to a :meth:`newest`."""
        sql, values = "SELECT COUNT(*) FROM entries WHERE store = ?", [self._store]
        for condition, value in ((" AND target = ?", target), (" AND seq <= ?", until)):
            if value is not None:
                sql, values = sql + condition, [*values, value]
        with self._lock:
            return self._db.execute(sql, values).fetchone()[0]

    def newest(self) -> int:
        """Return the number of the newest entry that waits, 0 where none does."""
        with self._lock:
            return (
                self._db.execute("SELECT MAX(seq) FROM entries WHERE store = ?", (self._store,)).fetchone()[0]
                or 0
            )

    @property
    def full(self) -> bool:
        """Whether the stated size is reached, within a hundredth, by what waits for this store: another's must not stop us."""
        if self._unweighed < WEIGH_EACH * self.limit:
            return False
        sql = "SELECT SUM(bytes) FROM entries WHERE store = ?"
        with self._lock:
            room = self.limit - (self._db.execute(sql, (self._store,)).fetchone()[0] or 0)
        if room > 0:
            self._unweighed = 0
        return room <= 0

    def uploaded(self, account: str, sha256: str) -> str | None:
        """Return the id under which an account holds a file of this digest, if we sent it."""
        sql = "SELECT file_id FROM uploads WHERE account = ? AND sha256 = ?"
        with self._lock:
            row = self._db.execute(sql, (account, sha256)).fetchone()
        return row[0] if row else None

    def note_upload(self, account: str, sha256: str, file_id: str) -> None:
        """Remember a file's id at an account."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)", (account, sha256, file_id))

    def close(self) -> None:
        """Close the file; what waits, waits there."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
