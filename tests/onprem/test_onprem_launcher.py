"""The dispatcher and its launcher at bad moments: workers that die at birth, stops between steps, what a death leaves."""

import asyncio
import sqlite3
import sys
import threading
import time

from test_onprem_queue import queue

from onprem.store import jobs as job_rows
from onprem.workers import process
from onprem.workers.dispatch import Dispatcher
from onprem.workers.pool import TrainingPool


def test_workers_that_die_at_birth_are_not_started_without_pause(db, folder, monkeypatch):
    started, pauses = [], []
    sleep = asyncio.sleep

    async def start(*arguments, **options):
        started.append(arguments)
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", "raise SystemExit(3)", stdin=asyncio.subprocess.PIPE
        )

    async def pause(seconds):
        pauses.append(seconds)
        pool.poke()  # clients go on to ask
        await sleep(0)
        assert len(started) == len(pauses), "none is started meanwhile"
        if len(pauses) == 8:
            enough.set()
            await sleep(3600)

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr("onprem.workers.pool.asyncio.sleep", pause)
    queue(db, "waiting")
    pool, enough = TrainingPool(db, folder), asyncio.Event()

    async def live():
        pool.poke()
        await enough.wait()
        await pool.stop()

    asyncio.run(live())
    assert pauses == [1, 3, 7, 15, 31, 60, 60, 60]
    assert job_rows.status(db, "waiting") == "queued"


def dispatcher(folder):
    return Dispatcher(str(folder.root), "w", "3", "unused")


def test_what_is_launched_knows_its_dispatchers_place(db, folder):
    queue(db, "one")
    telling = dispatcher(folder)
    told = folder.root / "told"
    telling.template = f"{{python}} -c \"import os; open('{told}', 'w').write(os.environ['ONPREM_SLOT'])\""
    assert telling.work_once()
    assert told.read_text() == "3"


def test_a_stop_between_claim_and_start_starts_nothing_and_gives_the_job_back(db, folder):
    queue(db, "one")
    stopped = dispatcher(folder)
    stopped.heed("stop")
    assert stopped.work_once()
    assert stopped.child is None
    assert (job_rows.status(db, "one"), job_rows.get(db, None, "one")["worker"]) == ("queued", None)


def test_a_stop_reaches_the_launcher_that_was_just_started(folder):
    running = dispatcher(folder)
    codes = []
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    thread = threading.Thread(target=lambda: codes.append(running._launch(sleeper)))
    thread.start()
    while running.child is None:
        time.sleep(0.01)
    running.heed("stop")
    thread.join(10)
    assert codes == [-15]


def test_after_the_servers_death_nothing_more_is_launched(folder):
    orphan = dispatcher(folder)
    orphan.end()
    thread = threading.Thread(target=orphan._launch, args=([sys.executable, "-c", ""],), daemon=True)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive(), "it waits for the end of its process"
    assert orphan.child is None


def test_a_death_that_a_full_disk_kept_from_being_noted_is_noted_later(db, folder, monkeypatch):
    queue(db, "one")
    died, tries = job_rows.died, []

    async def start(module, root, worker_id, *arguments, **options):
        job_rows.claim(db, worker_id)
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", "raise SystemExit(1)", stdin=asyncio.subprocess.PIPE
        )

    def written_at_the_third_try(*arguments):
        tries.append(arguments)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        died(*arguments)
        pool.stopping = True  # no second worker

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr(job_rows, "died", written_at_the_third_try)
    monkeypatch.setattr("onprem.workers.pool.RETRY_SECONDS", 0.01)
    pool = TrainingPool(db, folder)

    async def live():
        pool.poke()
        await asyncio.wait_for(asyncio.gather(*pool.tasks), 20)

    asyncio.run(live())
    job = job_rows.get(db, None, "one")
    assert (job["status"], job["worker"], job["attempts"]) == ("queued", None, 1)
