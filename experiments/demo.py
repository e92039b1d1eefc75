"""The demonstration: a fine-tuning server of one's own, four real jobs on shipped data, and what came of them.

Starts `onprem serve` as a process and meets it by its address alone, as any other provider.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from experiments.errors import DemoFailed
from experiments.loop_run import Options, run_spec
from experiments.spec import load
from experiments.table import Result
from experiments.tied import STOP_SECONDS

SPEC = Path(__file__).parent / "specs" / "demo.toml"
READY = "onprem: ready on "
START_SECONDS = 60  # the server imports no torch and is up in 2 s; a busy laptop gets thirty times that


def data_folder() -> Path:
    """Where the demonstration's server keeps its jobs and models: beside the store, for later use."""
    from tracker.store import home

    return home() / "demo-server"


def demo(seed: int = 0) -> Result:
    """Run a new loop of exactly four jobs on a server that lives as long as the loop."""
    spec = load(SPEC).model_copy(update={"seed": seed})
    with server(data_folder()) as base_url:
        return run_spec(spec, Options(max_jobs=4, ignore_stop=True, new=True, base_url=base_url))


@contextlib.contextmanager
def server(data: Path | None = None) -> Iterator[str]:
    """An on-premises server on a free port; yields its base_url. It ends with this process, however that ends.

    Parameters
    ----------
    data
        The server's data folder; without one a temporary folder, gone at the end.
    """
    with tempfile.TemporaryDirectory(prefix="onprem-demo-") as folder:
        log = Path(folder) / "server.log"
        serve = ["-m", "onprem.cli", "serve", "--port", "0", "--data-dir", str(data or f"{folder}/data")]
        command = [sys.executable, "-m", "experiments.tied", sys.executable, *serve]
        with log.open("w") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        try:
            yield _address(process, log)
        finally:
            _stop(process)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """The address that the server prints once it accepts requests."""
    late = threading.Timer(START_SECONDS, process.terminate)  # ends the read below with an end of file
    late.start()
    try:
        for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
    finally:
        late.cancel()
    last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise DemoFailed(
        f"`onprem serve` was not ready within {START_SECONDS} s; the last lines of its log:\n{last}"
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """Let go of the server, which then ends; wait until it has."""
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
