"""Writes content into MLflow without any provider: the spool and its writer, for histories that lie on disk."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from tracker.content import Content
from tracker.errors import StoreAway
from tracker.runs import reader
from tracker.spool import Spool
from tracker.store import spool_path, store_uri
from tracker.writer import Writer

# MLflow's statuses of runs that have ended.
ENDED = ("FINISHED", "FAILED", "KILLED")
# Seconds that the last entries may take at the end: a store on a slow disk writes about a thousand points a second.
FLUSH_S = 600.0


class Recorder:
    """Carries content to one MLflow store; use as a context manager, which waits until everything is there.

    Parameters
    ----------
    tracking_uri
        The store; else `MLFLOW_TRACKING_URI`, else the nearest `mlruns` folder.
    """

    def __init__(self, tracking_uri: str | None = None):
        self.uri = tracking_uri or store_uri()
        self._spool = Spool(spool_path(self.uri), self.uri)
        self._writer = Writer(self._spool, self._open)

    def put(self, host: str, made: Content) -> None:
        """Hand one run's content over; waits where the spool is full."""
        while self._spool.full:
            time.sleep(0.1)
        self._spool.put(f"job:{host}/{made.job_id}", [made.opening(), *made.things()])

    def whole(self) -> set[str]:
        """Ids of jobs that are recorded whole: their run has ended, which is written last."""
        return {
            row.tags["job.id"] for row in reader(self.uri).runs(tag=("job.id", None)) if row.status in ENDED
        }

    def run_ids(self, job_ids: list[str]) -> dict[str, str]:
        """The runs of jobs, by the jobs' ids, once everything is written."""
        self.flush()
        rows = reader(self.uri).runs(tag=("job.id", None))
        return {row.tags["job.id"]: row.run_id for row in rows if row.tags["job.id"] in set(job_ids)}

    def flush(self) -> None:
        """Wait until MLflow has everything.

        Raises
        ------
        StoreAway
            It does not take it in time; what is left waits in the spool for the next command.
        """
        if not self._writer.flush(FLUSH_S):
            raise StoreAway(
                f"MLflow at {self.uri} did not take everything; the rest waits in {self._spool.path}."
            )

    def close(self) -> None:
        self._writer.close()
        self._spool.close()

    def _open(self) -> Any:
        from tracker.mlflow_store import MlflowStore

        return MlflowStore(self.uri)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()
