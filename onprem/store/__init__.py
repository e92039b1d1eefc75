"""The job store: files, jobs, events, checkpoints, models and keys, in one SQLite database.

It knows SQL and the data folder; it does not know HTTP, torch or what a job computes.
"""

from onprem.store.database import Database
from onprem.store.folder import DataFolder

__all__ = ["DataFolder", "Database"]
