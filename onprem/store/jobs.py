"""Rows of the jobs table and the moves between statuses, each one transaction.

A running job's status is also its wish: a client's cancel or pause changes it at once, and the worker that
holds the job looks at it at every step. `worker` names the holder; a job is taken only where it is null.
"""

import json
import time

from onprem.store.database import Database, insert
from onprem.store.events import add_event

MAX_ATTEMPTS = 3  # a job whose worker died that often is the likely cause
WORKER_DIED = (
    "The training worker died {} times on this job (last exit code {}; -9 is mostly the system's answer to memory "
    "running out). Lower batch_size or max_length, or ask for LoRA."
)
LIVE = ("validating_files", "queued", "running", "paused")
TERMINAL = ("succeeded", "failed", "cancelled")
JSON_COLUMNS = ("method", "hyperparameters", "metadata", "integrations", "result_files", "error")

# Fair: first by priority, then whoever has least running, then whoever was served longest ago, then oldest.
NEXT_JOB = """
select j.id from jobs j where j.status = 'queued' and j.worker is null
order by j.priority desc,
    (select count(*) from jobs r where r.tenant = j.tenant and r.worker is not null),
    (select coalesce(max(r.started_at), 0) from jobs r where r.tenant = j.tenant),
    j.seq limit 1"""


def decode(row: dict | None) -> dict | None:
    """Turn a row's JSON columns into objects."""
    if row is None:
        return None
    return {k: json.loads(v) if k in JSON_COLUMNS and v is not None else v for k, v in row.items()}


def create(db: Database, row: dict, at_most: int | None = None) -> dict | None:
    """Add a job with its first events; None where the tenant has `at_most` live ones already."""
    with db.transaction() as connection:
        live = f"select count(*) as n from jobs where tenant = ? and status in {LIVE}"
        if at_most is not None and connection.execute(live, (row["tenant"],)).fetchone()["n"] >= at_most:
            return None
        insert(connection, "jobs", row)
        for key, value in (row.get("metadata") or {}).items():
            insert(connection, "job_metadata", {"job": row["id"], "key": key, "value": value})
        add_event(connection, row["id"], "message:created", f"Created fine-tuning job: {row['id']}")
        message = f"Validating training file: {row['training_file']}"
        if row["validation_file"]:
            message += f" and validation file: {row['validation_file']}"
        add_event(connection, row["id"], "message:validating", message)
    return get(db, row["tenant"], row["id"])


def get(db: Database, tenant: str | None, job_id: str) -> dict | None:
    """Return the job; `tenant` None means any (workers)."""
    row = db.one("select * from jobs where id = ?", job_id)
    return decode(row) if row and tenant in (None, row["tenant"]) else None


def status(db: Database, job_id: str, worker: str | None = None) -> str:
    """Return the status alone: asked at every step, so one indexed read.

    Where `worker` is given and no longer holds the job, the answer is ``lost``: another goes on with it.
    """
    row = db.one("select status, worker from jobs where id = ?", job_id)
    return "lost" if worker and row["worker"] != worker else row["status"]


def update(connection, job_id: str, **values) -> None:
    """Set columns; dicts and lists become JSON."""
    values = {k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in values.items()}
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"update jobs set {names} where id = ?", (*values.values(), job_id))


def holds(connection, job_id: str, worker: str) -> bool:
    """Tell, inside a transaction, whether `worker` still holds the job: what it writes is wanted."""
    row = connection.execute("select worker from jobs where id = ?", (job_id,)).fetchone()
    return row is not None and row["worker"] == worker


def move(
    db: Database,
    job_id: str,
    expected: tuple[str, ...],
    to: str,
    key: str,
    message: str,
    *,
    holder: str | None = None,
    **values,
) -> bool:
    """Move a job from one of the `expected` statuses to `to` and tell so; False where it was elsewhere.

    With a `holder`, it is moved only while that worker holds it.
    """
    with db.transaction() as connection:
        row = connection.execute("select status from jobs where id = ?", (job_id,)).fetchone()
        if row is None or row["status"] not in expected or (holder and not holds(connection, job_id, holder)):
            return False
        level = "error" if to == "failed" else "info"
        add_event(connection, job_id, key, message, level=level)
        update(connection, job_id, status=to, **values)
        return True


def fail(
    db: Database, job_id: str, code: str, message: str, param: str | None = None, holder: str | None = None
) -> bool:
    """End a job as failed; its events stay. False where it had already ended, or `holder` has lost it."""
    error = {"code": code, "message": message, "param": param}
    return move(
        db, job_id, LIVE, "failed", "message:failed", message, error=error, finished_at=int(time.time()),
        estimated_finish=None, holder=holder,
    )  # fmt: skip


def claim(db: Database, worker: str) -> dict | None:
    """Take the next job of the queue for `worker`, or None."""
    with db.transaction() as connection:
        row = connection.execute(NEXT_JOB).fetchone()
        if row is None:
            return None
        update(connection, row["id"], status="running", worker=worker, started_at=time.time())
        add_event(connection, row["id"], "message:started", "Fine-tuning job started")
    return get(db, None, row["id"])


def release(db: Database, job_id: str, worker: str | None = None) -> None:
    """Let go of a job, where `worker` (None: anyone) still holds it.

    Still `running` means that it was interrupted: it goes back to the queue.
    """
    with db.transaction() as connection:
        connection.execute(
            "update jobs set worker = null, estimated_finish = null, "
            "status = case status when 'running' then 'queued' else status end "
            "where id = ? and worker = coalesce(?, worker)",
            (job_id, worker),
        )


def died(db: Database, job: dict, code: int) -> None:
    """Note that a job's process died: it goes on from its last checkpoint, or fails after too many deaths."""
    attempts = job["attempts"] + 1
    with db.transaction() as connection:
        if not holds(connection, job["id"], job["worker"]):
            return
        update(connection, job["id"], attempts=attempts)
        text = f"The training worker died (code {code}); going on from the last checkpoint"
        add_event(connection, job["id"], f"message:died:{attempts}", text, level="warn")
    if attempts >= MAX_ATTEMPTS:
        fail(db, job["id"], "worker_died", WORKER_DIED.format(attempts, code), holder=job["worker"])
    release(db, job["id"], job["worker"])


def held_by(db: Database, worker: str | None = None) -> list[dict]:
    """Jobs that `worker` (None: any) holds."""
    where = "worker = ?" if worker else "worker is not null"
    return [decode(row) for row in db.all(f"select * from jobs where {where}", *([worker] if worker else []))]
