"""Metrics events on their way to the store: written by a thread, many in one transaction.

A transaction waits for the disk; done between steps it would cost more than a small model's step. `flush`
returns when all are on the disk: called before a checkpoint is sealed, so that a job which goes on from a
checkpoint has every event up to it.
"""

import queue
import threading
import time

from onprem.store.database import Database
from onprem.store.events import add_event
from onprem.store.jobs import holds, update

PAUSE_SECONDS = 0.1  # between transactions: a client sees an event within that time


class EventLog:
    """Queue of one job's metrics events.

    Parameters
    ----------
    db : Database
        The store.
    job_id, worker : str
        The job, and who trains it: once another holds the job, nothing more is written.
    """

    def __init__(self, db: Database, job_id: str, worker: str) -> None:
        self.db = db
        self.job_id, self.worker = job_id, worker
        self.queue: queue.SimpleQueue = queue.SimpleQueue()
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def put(self, message: str, data: dict, estimated_finish: int | None = None) -> None:
        """Queue the event of step ``data["step"]``, as told now."""
        self.queue.put((message, data, int(time.time()), estimated_finish))

    def flush(self) -> None:
        """Return once all queued events are on the disk.

        Raises
        ------
        Exception
            What the writing thread met, such as a full disk.
        """
        done = threading.Event()
        self.queue.put(done)
        while not done.wait(0.5):
            if not self.thread.is_alive():
                break
        self.check()

    def check(self) -> None:
        """Raise what the writing thread met."""
        if self.error:
            raise self.error

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self.queue.put(None)
        self.thread.join()

    def _write(self) -> None:
        try:
            while True:
                items = [self.queue.get()]
                while not self.queue.empty():
                    items.append(self.queue.get())
                self._commit([item for item in items if isinstance(item, tuple)])
                waiting = [item for item in items if isinstance(item, threading.Event)]
                for done in waiting:
                    done.set()
                if None in items:
                    return
                if not waiting:
                    time.sleep(PAUSE_SECONDS)
        except Exception as error:
            self.error = error

    def _commit(self, events: list[tuple]) -> None:
        if not events:
            return
        with self.db.transaction() as connection:
            if not holds(connection, self.job_id, self.worker):
                return
            for message, data, created_at, _ in events:
                add_event(
                    connection,
                    self.job_id,
                    f"metrics:{data['step']}",
                    message,
                    data=data,
                    created_at=created_at,
                )
            if events[-1][3]:
                update(connection, self.job_id, estimated_finish=events[-1][3])
