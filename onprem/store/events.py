"""Events of a job, each stored once under its key."""

import json
import sqlite3
import time

from onprem import ids
from onprem.store.database import Database, insert


def add_event(
    connection: sqlite3.Connection,
    job_id: str,
    key: str,
    message: str,
    *,
    level: str = "info",
    data: dict | None = None,
    created_at: int | None = None,
) -> bool:
    """Add an event inside a transaction; the key's first part is its type.

    Nothing is added where the key is there already, or where the job has ended: a step that was under way
    when a client cancelled tells nothing afterwards. Returns whether it was added.
    """
    ended = "select 1 from jobs where id = ? and status in ('succeeded', 'failed', 'cancelled')"
    if connection.execute(ended, (job_id,)).fetchone():
        return False
    row = {
        "id": ids.derived("ftevent", job_id, key), "job": job_id, "key": key,
        "created_at": int(created_at or time.time()), "level": level, "type": key.split(":")[0],
        "message": message, "data": data if data is not None else {},
    }  # fmt: skip
    return insert(connection, "events", row, or_ignore=True)


def at_step(db: Database, job_id: str, step: int) -> dict | None:
    """Return the data of the metrics event of `step`."""
    row = db.one("select data from events where job = ? and key = ?", job_id, f"metrics:{step}")
    return row and json.loads(row["data"])


def metrics(db: Database, job_id: str, up_to: int | None = None) -> list[dict]:
    """Return the data of all metrics events by step, from 0 to `up_to`."""
    rows = db.all("select data from events where job = ? and type = 'metrics'", job_id)
    data = sorted((json.loads(row["data"]) for row in rows), key=lambda d: d["step"])
    return [d for d in data if up_to is None or d["step"] <= up_to]
