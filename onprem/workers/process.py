"""Starting a worker process, with its lifeline and its log."""

import asyncio
import os
import sys
from pathlib import Path

LINE_LIMIT = 2**20  # bytes in one answer line of the inference worker


async def start(
    module: str, *arguments: str, log: Path, threads: int, answers: bool = False
) -> asyncio.subprocess.Process:
    """Start ``python -m module arguments`` with a pipe to its input and, where it `answers`, one from its output.

    One torch thread each unless told otherwise: two workers with a thread per core each are slower than one.
    """
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    with log.open("ab") as log_file:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments,
            stdin=asyncio.subprocess.PIPE, stderr=log_file,
            stdout=asyncio.subprocess.PIPE if answers else log_file,
            env=environment, limit=LINE_LIMIT,
            start_new_session=True,  # Ctrl-C in the terminal is the server's to handle
        )  # fmt: skip


async def end(process: asyncio.subprocess.Process | None, patience: float) -> None:
    """Close the worker's lifeline and wait; kill it after `patience` seconds."""
    if process is None or process.returncode is not None:
        return
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
