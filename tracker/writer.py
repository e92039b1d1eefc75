"""The writer: one thread that carries the spool's entries into MLflow, in order and in batches.

MLflow is loaded in this thread, while the first requests to the provider are already under way. One writer at a time
drains a spool, whichever process holds its lock: the others' entries go with it.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from tracker.errors import StoreAway, TrackerError
from tracker.jobs import JOB_TAG
from tracker.polite import wait_s
from tracker.runs import reader
from tracker.spool import Entry, Spool

log = logging.getLogger(__name__)

#: Points per batch: MLflow's own limit for one request.
BATCH = 1000

#: Seconds between looks at a spool that another process may have filled.
LOOK_S = 0.5


#: Seconds at most between tries while MLflow is away: it is ours as a rule, and nobody counts the tries.
LONGEST_AWAY_S = 5.0


class Writer:
    """Carries a spool into the MLflow store of the same URI.

    Parameters
    ----------
    open_store
        Makes the store; called in the writer's thread, again after MLflow was away.
    """

    def __init__(self, spool: Spool, open_store: Callable[[], Any]):
        self.spool = spool
        self._open = open_store
        self._store: Any = None
        self._runs: dict[str, str] = {}
        self._known: dict[str, str] | None = None
        self._incomplete: set[str] = set()
        self._stop = threading.Event()
        self.away: str | None = None
        self.failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="mlflow-writer", daemon=True)
        self._thread.start()

    def flush(self, timeout: float = 60.0, target: str | None = None) -> bool:
        """Wait until MLflow has everything put so far (of one run, or all); False where nothing moved for so long.

        What another command puts into the same spool meanwhile is not waited for: a daemon's points never end.

        Raises
        ------
        TrackerError
            Where the store can never be opened: a wrong address, a missing package.
        """
        newest = self.spool.newest()
        left, deadline = self.spool.waiting(target, newest), time.monotonic() + timeout
        while left:
            if self.failed is not None:
                raise TrackerError(f"Nothing can be written to MLflow: {self.failed}") from self.failed
            if time.monotonic() > deadline or not self._thread.is_alive():
                return False
            self.spool.changed.set()
            time.sleep(0.02)
            now = self.spool.waiting(target, newest)
            if now < left:  # slow is not away
                deadline = time.monotonic() + timeout
            left = now
        return True

    def close(self, timeout: float = 60.0) -> bool:
        """Write what waits, within the time; what remains stays in the spool."""
        try:
            done = self.flush(timeout if self.away is None else min(timeout, 2.0))
        except TrackerError as error:
            log.warning("%s", error)
            done = False
        self._stop.set()
        self.spool.changed.set()
        self._thread.join(10)
        return done

    def _run(self) -> None:
        lock = self.spool.path.with_suffix(".lock").open("w")
        failures = 0
        while not self._stop.is_set() and self.failed is None:
            self.spool.changed.wait(LOOK_S)
            self.spool.changed.clear()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            try:
                self._drain()
                self.away, failures = None, 0
            except (StoreAway, sqlite3.Error) as error:  # the spool's file may be locked, or its disk full
                self._note_away(error)
                self._stop.wait(min(wait_s(failures), LONGEST_AWAY_S))
                failures += 1
                self.spool.changed.set()
            except Exception as error:  # the thread must not end in silence: whoever waits is told
                self.failed = error
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)
        lock.close()

    def _drain(self) -> None:
        """Carry over all that waits, the run that has waited longest first.

        Everything of a run goes at its turn: where MLflow falls behind, batches grow and no point waits longer than it
        takes to serve every run once.
        """
        troubled: dict[str, StoreAway] = {}
        # One run may have a trouble of its own; three in a row are MLflow's.
        while not self._stop.is_set() and len(troubled) < 3:
            entries = self.spool.oldest(troubled)
            if not entries:
                break
            if self._store is None:
                self._store = self._open()
            try:
                self._carry(entries[0].target, entries)
            except StoreAway as error:
                troubled[entries[0].target] = error
        if troubled:
            raise next(iter(troubled.values()))

    def _carry(self, target: str, entries: list[Entry]) -> None:
        """Write one run's entries in order; points that follow each other go as one batch."""
        at = 0
        while at < len(entries):
            some = [entries[at]]
            if some[0].kind == "points":
                size = len(some[0].body)
                for entry in entries[at + 1 :]:
                    size += len(entry.body)
                    if entry.kind != "points" or size > BATCH:
                        break
                    some.append(entry)
            try:
                self._write(target, some)
                self.spool.drop(some)
            except (StoreAway, sqlite3.Error):
                raise
            except Exception as error:  # an entry that can never be written must not hold up the others
                self._incomplete.add(target)
                for entry in some:
                    self.spool.refuse(entry, f"{type(error).__name__}: {error}"[:300])
                log.warning(
                    "Set aside %d entries of %s that MLflow does not take: %s", len(some), target, error
                )
            at += len(some)

    def _write(self, target: str, entries: list[Entry]) -> None:
        store, kind, body = self._store, entries[0].kind, entries[0].body
        if kind == "open":
            self._open_run(target, body)
            return
        run_id = self._run_id(target)
        if kind == "points":
            store.log_points(run_id, [point for entry in entries for point in entry.body])
        elif kind == "fill":
            store.fill(run_id, body)
        elif kind == "record":
            self._incomplete.discard(target)  # a story begins with it: what comes now is whole again
            store.record(run_id, body["params"], body["tags"], body["points"])
        elif kind == "tags":
            store.set_tags(run_id, body)
        elif kind == "status":
            # A run that shows as ended is taken to be whole and never read again.
            if not (body[1] is not None and target in self._incomplete):
                store.set_status(run_id, *body)
        elif kind == "artifacts":
            store.log_texts(run_id, body)
        elif kind == "datasets":
            store.log_datasets(run_id, body)
        elif kind == "checkpoints":
            store.log_checkpoints(run_id, body)
        else:
            raise TrackerError(
                f"The spool holds an entry of unknown kind {kind!r}; it was written by another version."
            )

    def _open_run(self, target: str, body: dict[str, Any]) -> None:
        """Find or make the run of a job; the job's id is its name among runs."""
        if target in self._runs:
            return
        job_id, key = body["tags"]["job.id"], body["tags"].get(JOB_TAG)
        run_id = self._known_run(job_id) or self._run_of_key(key, job_id)
        if run_id is None:
            run_id = self._store.create_run(body["experiment"], body["name"], body["tags"], body["start"])
        self._runs[target] = run_id

    def _known_run(self, job_id: str) -> str | None:
        """Return the run of a job. What is known may be old: on a miss the store is asked, others write to it too."""
        if self._known is None:
            self._known = {
                row.tags["job.id"]: row.run_id for row in reader(self._store.uri).runs(tag=("job.id", None))
            }
        if job_id not in self._known:
            found = reader(self._store.uri).runs(tag=("job.id", job_id))
            return found[0].run_id if found else None
        return self._known[job_id]

    def _run_of_key(self, key: str | None, job_id: str) -> str | None:
        """Return the run that a submission made for the job and has not tied to it yet."""
        rows = reader(self._store.uri).runs(tag=(JOB_TAG, key)) if key else []
        found = next((row.run_id for row in rows if row.tags.get("job.id", job_id) == job_id), None)
        if found:
            self._store.set_tags(found, {"job.id": job_id})
        return found

    def _run_id(self, target: str) -> str:
        if target.startswith("run:"):
            return target.removeprefix("run:")
        if target not in self._runs:  # after a restart whose "open" entry was already carried over
            job_id = target.rsplit("/", 1)[-1]
            found = self._known_run(job_id)
            if found is None:
                raise TrackerError(f"No run of job {job_id} is in MLflow any more.")
            self._runs[target] = found
        return self._runs[target]

    def _note_away(self, error: Exception) -> None:
        if self.away is None:
            log.warning("%s What is read waits in %s.", error, self.spool.path)
        self.away = str(error)
