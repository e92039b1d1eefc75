"""Hands jobs to a launcher, one after the other: the worker of `--engine command` and `--engine ray`.

    python -m onprem.workers.dispatch DATA_DIR WORKER_ID SLOT TEMPLATE

The template is a command line with {python}, {data_dir}, {job} and {worker}; it must return when the job's
processes have ended. It runs without a shell. This process never imports torch.
"""

import logging
import os
import shlex
import signal
import subprocess
import sys
import threading

from onprem.store import DataFolder, open_database
from onprem.store import jobs as job_rows
from onprem.training import checkpoint
from onprem.workers import lifeline
from onprem.workers.train import LOOK_SECONDS

SLOT = "ONPREM_SLOT"  # tells a job's process, where it is the only one, which GPU is its own

log = logging.getLogger("onprem.dispatch")


class Dispatcher:
    """Claims jobs and runs the command for each.

    Parameters
    ----------
    data_dir, worker_id, slot, template : str
        As on the command line.
    """

    def __init__(self, data_dir: str, worker_id: str, slot: str, template: str) -> None:
        self.folder = DataFolder.at(data_dir)
        self.db = open_database(self.folder)
        self.data_dir, self.worker_id, self.template = data_dir, worker_id, template
        self.environment = os.environ | {SLOT: slot}
        self.poke, self.stop = threading.Event(), threading.Event()
        self.child: subprocess.Popen | None = None
        self.launching = threading.Lock()  # else a child could be started and never be told

    def heed(self, line: str) -> None:
        """Take a line of the server."""
        if line == "stop":
            with self.launching:
                self.stop.set()
                self._signal(signal.SIGTERM)
        self.poke.set()

    def end(self) -> None:
        """Kill the launcher's processes: the server is gone. None is started any more."""
        self.launching.acquire()
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, number)

    def _launch(self, words: list[str]) -> int:
        """Run the launcher to its end; returns its exit code. It is not started after a stop."""
        with self.launching:
            if self.stop.is_set():
                return 0
            self.child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment
            )
        return self.child.wait()

    def work_once(self) -> bool:
        """Run one job; False where the queue is empty."""
        job = job_rows.claim(self.db, self.worker_id)
        if job is None:
            return False
        names = {
            "python": sys.executable,
            "data_dir": self.data_dir,
            "job": job["id"],
            "worker": self.worker_id,
        }
        words = [word.format(**names) for word in shlex.split(self.template)]
        try:
            code = self._launch(words)
        except OSError as error:
            log.error("%s: %s", words[0], error)
            text = f"The server's launch command cannot be run ({error.strerror}). Tell its operator."
            job_rows.fail(self.db, job["id"], "launch_failed", text, holder=self.worker_id)
            code = 1
        if job_rows.get(self.db, None, job["id"])["worker"] == self.worker_id:
            if self.stop.is_set():
                checkpoint.let_go(self.db, self.folder, job["id"], self.worker_id)
            else:
                job_rows.died(self.db, job, code)
                checkpoint.tidy(self.db, self.folder, job["id"])
        return True


def main() -> None:
    """Run until the server is gone or says stop."""
    dispatcher = Dispatcher(*sys.argv[1:5])
    lifeline.watch(dispatcher.heed, on_end=dispatcher.end)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    while not dispatcher.stop.is_set():
        if not dispatcher.work_once():
            dispatcher.poke.wait(LOOK_SECONDS)
            dispatcher.poke.clear()


if __name__ == "__main__":
    main()
