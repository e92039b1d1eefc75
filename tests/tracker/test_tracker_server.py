"""A real MLflow server, killed and started again while jobs are followed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request

import pytest
from test_tracker_crash import wait_for, watch

import tracker
from tracker.ui import LEAN, command
from tracker.view import view_link

pytestmark = pytest.mark.slow


class Server:
    """An MLflow server on a store, to be killed with all its processes."""

    def __init__(self, uri: str):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = command(uri, "127.0.0.1", self.port)

    def start(self) -> None:
        env = {**os.environ, **LEAN}
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(
            self._command, env=env, stdout=silent, stderr=silent, start_new_session=True
        )
        wait_for(self._answers, 120)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/health", timeout=2).status == 200
        except OSError:
            return False


@pytest.fixture
def mlflow_server(uri, tmp_path):
    (tmp_path / "mlruns").mkdir()
    server = Server(uri)
    server.start()
    yield server
    server.kill()


def test_kill_9_of_mlflow_while_a_job_runs(serve, mlflow_server, db):
    provider = serve(steps=120, step_s=0.25)
    job_id = provider.add_job()
    process = watch(provider, mlflow_server.url, job_id)
    wait_for(lambda: db("SELECT COUNT(*) FROM metrics")[0][0] > 10, 90)
    mlflow_server.kill()
    time.sleep(4)
    mlflow_server.start()
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert db("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step") == [
        (k,) for k in range(1, 121)
    ]
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert db("SELECT status FROM runs") == [("FINISHED",)]


def test_records_loops_and_links_work_over_http(serve, mlflow_server, train):
    provider = serve(steps=3, step_s=0.05)
    with tracker.Session(provider.url, "k", None, mlflow_server.url) as session:
        loop = session.start_loop("tune", "exp", {"a": 1})
        job = session.submit(tracker.JobRequest(train, None, "m"), loop=loop, job_key="k-1")
        session.follow([job])
        again = session.start_loop("tune", "exp", {"a": 1})
        assert (again.run_id, [j.id for j in again.jobs]) == (loop.run_id, [job.id])
        (record,) = session.records(loop.run_id)
        assert len(record["train_loss"]) == 3
        assert view_link(again, mlflow_server.url).startswith(mlflow_server.url)
