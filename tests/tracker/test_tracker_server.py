"""A real MLflow server on SQLite and on PostgreSQL, killed and started again while jobs are followed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from test_tracker_crash import wait_for, watch

import tracker
from tracker.ui import LEAN, command
from tracker.view import view_link

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """An MLflow server on a store, to be killed with all its processes."""

    def __init__(self, uri: str, *more: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*command(uri, "127.0.0.1", self.port), *more]

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


@pytest.fixture
def postgres():
    """Debian's PostgreSQL, in a folder of its own, as an unprivileged user; gone at the end."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip("Debian's PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # outside pytest's folders, which that user may not enter
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    port = free_port()
    as_user = {"user": user, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([binaries[-1] / "initdb", "-D", folder / "data", "-A", "trust", "-U", "mlflow"], **as_user)
    control = [binaries[-1] / "pg_ctl", "-D", folder / "data", "-w"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], **as_user)
    yield f"postgresql+psycopg://mlflow@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **as_user)
    shutil.rmtree(folder)


@pytest.mark.postgres
def test_postgresql_behind_a_server_and_directly(serve, postgres, tmp_path, train):
    server = Server(postgres, "--artifacts-destination", (tmp_path / "artifacts").as_uri())
    server.start()
    provider = serve(steps=30, step_s=0.1)
    try:
        job_id = provider.add_job()
        for uri in (server.url, postgres):  # the second sync finds the run that the first has made
            with tracker.Session(provider.url, "k", None, uri) as session:
                job = session.watch(job_id)
                session.follow([job])
                assert session.writer.flush(60)
            (record,) = tracker.records(run_id=job_id, tracking_uri=uri)
            assert [step for step, _ in record["train_loss"]] == list(range(1, 31))
            assert record["status"] == "succeeded"
    finally:
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
