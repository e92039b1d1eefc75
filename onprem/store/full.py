"""Whether an error says that a disk is full: the system, SQLite, PostgreSQL and libraries each say it in their own way."""

import errno
import sqlite3

POSTGRES = "53100"  # disk_full among PostgreSQL's error codes


def is_disk_full(error: Exception) -> bool:
    """Tell whether the system, the store or a library had no room left."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return getattr(error, "sqlstate", None) == POSTGRES or "no space left" in str(error).lower()
