"""Rows of the files table; the contents lie in the data folder under the file's id."""

import contextlib
import time

from onprem.store.database import Database, insert
from onprem.store.folder import DataFolder
from onprem.store.jobs import LIVE

HELD = "select coalesce(sum(bytes), 0) as held from files where tenant = ?"


def add(db: Database, row: dict, room: int | None = None) -> dict | None:
    """Add a file whose content is already in place; a file already there (same id) stays as it is.

    None where the tenant's files would then take more than `room` bytes: counted and added in one, so that uploads
    at the same time cannot pass together.
    """
    with db.transaction() as connection:
        held = connection.execute(HELD, (row["tenant"],)).fetchone()["held"]
        if room is not None and held + row["bytes"] > room:
            return None
        insert(connection, "files", row, or_ignore=True)
    return db.one("select * from files where id = ?", row["id"])


def get(db: Database, tenant: str, file_id: str) -> dict | None:
    """Return the tenant's file, unless it has expired."""
    return db.one(
        "select * from files where id = ? and tenant = ? and (expires_at is null or expires_at > ?)",
        file_id,
        tenant,
        time.time(),
    )


def remove(db: Database, folder: DataFolder, file_id: str) -> bool:
    """Remove the row, then the content: a crash between leaves an orphan that `sweep` removes. False where no row was."""
    with db.transaction() as connection:
        there = connection.execute("delete from files where id = ?", (file_id,)).rowcount > 0
    folder.file(file_id).unlink(missing_ok=True)
    return there


def sweep(db: Database, folder: DataFolder, older_than: float = 3600) -> int:
    """Remove expired files and contents without a row (left by a crash over an hour ago). Returns how many."""
    now = time.time()
    needed = f"select 1 from jobs where files.id in (training_file, validation_file) and status in {LIVE}"
    expired = f"select id from files where expires_at <= ? and not exists ({needed})"
    gone = [row["id"] for row in db.all(expired, now)]
    known = {row["id"] for row in db.all("select id from files")}
    for path in folder.files.iterdir():
        if path.name in known or path.name.startswith("."):  # such as .nfs... and .DS_Store: not ours
            continue
        with contextlib.suppress(FileNotFoundError):  # an upload under way was renamed meanwhile
            if now - path.stat().st_mtime > older_than:
                gone.append(path.name)
    for file_id in gone:
        remove(db, folder, file_id)
    return len(gone)
