"""MLflow stores to measure and test against: its own server, and PostgreSQL as an unprivileged user."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.ui import LEAN, command

#: Seconds that a server may take to answer: it imports MLflow, and migrates a fresh database.
START_S = 180.0


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class MlflowServer:
    """An MLflow server on a store, to be killed with all its processes; use as a context manager or by hand."""

    def __init__(self, uri: str, *more: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*command(uri, "127.0.0.1", self.port), *more]

    def start(self) -> None:
        """Start it and wait until it answers."""
        silent = subprocess.DEVNULL
        self._process = subprocess.Popen(
            self._command, env={**os.environ, **LEAN}, stdout=silent, stderr=silent, start_new_session=True
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.kill()
                raise RuntimeError(f"MLflow's server does not answer at {self.url} within {START_S:.0f} s.")
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, with its children."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> MlflowServer:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/health", timeout=2).status == 200
        except OSError:
            return False


def postgresql_programs() -> Path | None:
    """Return the folder of Debian's newest PostgreSQL, None where it is not installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run PostgreSQL in a folder of its own, as an unprivileged user, and give the URI of an empty store in it."""
    programs = postgresql_programs()
    if programs is None:
        raise RuntimeError("Debian's PostgreSQL is not installed (apt-get install postgresql).")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    port = free_port()
    as_user = {"user": user, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "mlflow"], **as_user)
    control = [programs / "pg_ctl", "-D", folder / "data", "-w"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], **as_user)
    try:
        yield f"postgresql+psycopg://mlflow@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **as_user)
        shutil.rmtree(folder, ignore_errors=True)
