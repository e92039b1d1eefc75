"""Reads runs from a local MLflow SQLite file by read-only SQL: no mlflow, no waiting.

The schema is MLflow's private matter, so nothing but this file knows it. It never writes: the connection is read-only.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tracker.errors import InputError
from tracker.runs import CHECKPOINT_MODEL, CHECKPOINT_STEP, RunRow, Series

#: Ids per query: below SQLite's limit of bound values.
CHUNK = 900


class SqlReader:
    """Implements :class:`tracker.runs.Reader` on an MLflow database file; a missing file holds no runs."""

    def __init__(self, path: Path):
        self.path = path

    def runs(
        self,
        *,
        experiment: str | None = None,
        run_ids: Iterable[str] | None = None,
        tag: tuple[str, str | None] | None = None,
    ) -> list[RunRow]:
        where, values = ["r.lifecycle_stage = 'active'"], []
        if experiment is not None:
            where.append("e.name = ?")
            values.append(experiment)
        if tag is not None:
            value = "" if tag[1] is None else " AND value = ?"
            where.append(f"r.run_uuid IN (SELECT run_uuid FROM tags WHERE key = ?{value})")
            values += [part for part in tag if part is not None]
        with self._db() as db:
            if db is None:
                return []
            rows: list[RunRow] = []
            for ids in _chunks(run_ids):
                extra = f" AND r.run_uuid IN ({_marks(ids)})" if ids is not None else ""
                rows += [
                    RunRow(*row)
                    for row in db.execute(_RUNS.format(" AND ".join(where) + extra), [*values, *(ids or [])])
                ]
            rows.sort(key=lambda row: (row.start_ms or 0, row.run_id))
            self._fill(db, rows, experiment)
        return rows

    def curves(self, run_ids: Iterable[str]) -> dict[str, Series]:
        found: dict[str, Series] = {run_id: {} for run_id in run_ids}
        with self._db() as db:
            for ids in _chunks(found) if db is not None else ():
                for run_id, key, step, value, is_nan, at in db.execute(_METRICS.format(_marks(ids)), ids):
                    series = found[run_id].setdefault(key, [])
                    series.append((step, math.nan if is_nan else value, at))
        return found

    def latest(self, run_ids: Iterable[str]) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {run_id: {} for run_id in run_ids}
        sql = "SELECT run_uuid, key, value, is_nan FROM latest_metrics WHERE run_uuid IN ({})"
        with self._db() as db:
            for ids in _chunks(found) if db is not None else ():
                for run_id, key, value, is_nan in db.execute(sql.format(_marks(ids)), ids):
                    found[run_id][key] = math.nan if is_nan else value
        return found

    def checkpoints(self, run_ids: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
        found: dict[str, list[tuple[int, str]]] = {run_id: [] for run_id in run_ids}
        with self._db() as db:
            for ids in _chunks(found) if db is not None else ():
                for run_id, step, model in db.execute(
                    _CHECKPOINTS.format(_marks(ids)), [CHECKPOINT_STEP, CHECKPOINT_MODEL, *ids]
                ):
                    found[run_id].append((int(step), model))
        return {run_id: sorted(listed) for run_id, listed in found.items()}

    def _fill(self, db: sqlite3.Connection, rows: list[RunRow], experiment: str | None) -> None:
        """Add params and tags; a whole experiment by one join, which is faster than thousands of ids."""
        by_id = {row.run_id: row for row in rows}
        for table in ("params", "tags"):
            if experiment is not None:
                pairs = db.execute(_WHOLE.format(table), [experiment])
                for run_id, key, value in pairs:
                    if run_id in by_id:
                        getattr(by_id[run_id], table)[key] = value
                continue
            for ids in _chunks(by_id):
                sql = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({_marks(ids)})"
                for run_id, key, value in db.execute(sql, ids):
                    getattr(by_id[run_id], table)[key] = value

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection | None]:
        if not self.path.is_file():
            yield None
            return
        db = _opened(self.path)
        try:
            yield db
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                raise  # busy: who can wait tries again
            raise InputError(
                f"{self.path} is no MLflow store ({error}); expected the mlflow.db that MLflow made. "
                "MLFLOW_TRACKING_URI names another store."
            ) from error
        finally:
            db.close()


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that reads.

    A store with a write-ahead log wants to write its index beside it even to be read. Where that cannot be, the file
    alone is read as it stands, provided that its log holds nothing.
    """
    path = path.resolve()  # its log lies beside the file, and not beside a link to it
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        return _answering(address)
    except sqlite3.OperationalError as error:
        if not _is_unwritable(error):
            raise
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        raise InputError(
            f"{path} cannot be read: {log.name} beside it holds what is not in it yet, and its folder cannot be "
            "written. Copy both to a folder of yours and name it: MLFLOW_TRACKING_URI=sqlite:////path/to/mlflow.db"
        )
    try:
        return _answering(f"{address}&immutable=1")
    except sqlite3.OperationalError as error:
        if not _is_unwritable(error):
            raise
        raise InputError(f"{path} cannot be read ({error}); expected a file that you may read") from error


def _answering(address: str) -> sqlite3.Connection:
    """A connection that has read once: whether it can is not known before."""
    db = sqlite3.connect(address, uri=True, timeout=20)
    try:
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        db.close()
        raise
    except sqlite3.DatabaseError:
        pass  # no store at all: told where it is asked for something
    return db


def _is_unwritable(error: sqlite3.OperationalError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


_RUNS = """SELECT r.run_uuid, r.name, e.name, CAST(e.experiment_id AS TEXT), r.status, r.start_time, r.end_time, r.artifact_uri
FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id WHERE {}"""

_METRICS = """SELECT run_uuid, key, step, value, is_nan, timestamp FROM metrics WHERE run_uuid IN ({})
ORDER BY run_uuid, key, step, timestamp"""

_CHECKPOINTS = """SELECT l.source_run_id, s.tag_value, m.tag_value FROM logged_models l
JOIN logged_model_tags s ON s.model_id = l.model_id AND s.tag_key = ?
JOIN logged_model_tags m ON m.model_id = l.model_id AND m.tag_key = ?
WHERE l.lifecycle_stage = 'active' AND l.source_run_id IN ({})"""

_WHOLE = """SELECT t.run_uuid, t.key, t.value FROM {} t JOIN runs r ON r.run_uuid = t.run_uuid
JOIN experiments e ON e.experiment_id = r.experiment_id WHERE e.name = ? AND r.lifecycle_stage = 'active'"""


def _chunks(ids: Iterable[str] | None) -> Iterator[list[str] | None]:
    if ids is None:
        yield None
        return
    listed = list(ids)
    for at in range(0, len(listed), CHUNK):
        yield listed[at : at + CHUNK]


def _marks(ids: list[str] | None) -> str:
    return ",".join("?" * len(ids or []))
