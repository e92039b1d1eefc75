"""Models by name: bases that the operator registered, tuned models and checkpoints that jobs made.

Bases belong to tenant ``*``: all see them. Tuned ones belong to the tenant whose job made them.
"""

import shutil
import time
from pathlib import Path

from onprem.store.database import Database, insert

EVERYONE = "*"


def get(db: Database, tenant: str, name: str) -> dict | None:
    """Return the model that `tenant` may use under this name."""
    return db.one("select * from models where name = ? and tenant in (?, ?)", name, tenant, EVERYONE)


def add(connection, row: dict, *, or_ignore: bool = False) -> None:
    """Add a model inside a transaction."""
    insert(connection, "models", {"created_at": int(time.time()), **row}, or_ignore=or_ignore)


def remove(db: Database, name: str) -> None:
    """Forget a model; the weights that a job made are removed with the last name that points to them."""
    with db.transaction() as connection:
        row = connection.execute("select * from models where name = ?", (name,)).fetchone()
        connection.execute("delete from models where name = ?", (name,))
        others = connection.execute("select 1 from models where path = ?", (row["path"],)).fetchone()
    if row["kind"] != "base" and not others:
        shutil.rmtree(Path(row["path"]), ignore_errors=True)
