"""Starts MLflow's own server on a store, lean and silent: no telemetry, no job processes."""

from __future__ import annotations

import os
import subprocess
import sys

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


def serve(uri: str, host: str, port: int) -> int:
    """Serve a store until Ctrl-C; return the exit code."""
    process = subprocess.Popen(command(uri, host, port), env={**os.environ, **LEAN})
    try:
        return 1 if process.wait() else 0
    except KeyboardInterrupt:
        process.terminate()
        process.wait(10)
        return 0
