"""The job store: files, jobs, events, checkpoints, models and keys, in one database.

It knows SQL and the data folder; it does not know HTTP, torch or what a job computes.
"""

from onprem.store.connect import open_database
from onprem.store.database import Database
from onprem.store.folder import DataFolder

__all__ = ["DataFolder", "Database", "open_database"]
