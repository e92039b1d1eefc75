"""Starts MLflow's own server on a store, lean and silent: no telemetry, no job processes."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys

from tracker.errors import InputError
from tracker.store import artifact_root

#: Two processes of half a gigabyte in all, in place of eleven.
LEAN = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def command(uri: str, host: str, port: int) -> list[str]:
    """Return the command that serves a store."""
    root = artifact_root(uri)
    artifacts = ["--artifacts-destination", root] if root else []
    server = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    return [*server, "--backend-store-uri", uri, *artifacts, "--host", host, "--port", str(port)]


def check_port(host: str, port: int) -> None:
    """Refuse a port that cannot be listened on, before anybody is sent there.

    Raises
    ------
    InputError
        Where another program listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            why = "is in use" if taken else f"cannot be listened on ({error})"
            raise InputError(f"Port {port} of {host} {why}: choose another --port.") from None


def serve(uri: str, host: str, port: int) -> int:
    """Serve a store until Ctrl-C; return the exit code."""
    process = subprocess.Popen(command(uri, host, port), env={**os.environ, **LEAN})
    try:
        return 1 if process.wait() else 0
    except KeyboardInterrupt:
        process.terminate()
        process.wait(10)
        return 0
