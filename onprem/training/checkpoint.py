"""A job's checkpoint folders: sealed when they are whole, the newest found, the older made light.

The Trainer writes `checkpoint-N`; a crash may leave one half written. A seal, written last and only when all
else is on the disk, tells the whole ones; what has none is removed before a job goes on.
"""

import os
import shutil
from pathlib import Path

from onprem.store import Database, DataFolder
from onprem.store import jobs as job_rows

SEAL = "complete"
# What going on needs and sampling does not; only the newest checkpoint keeps it.
RESUME_ONLY = (
    "optimizer.pt",
    "scheduler.pt",
    "rng_state*.pth",
    "scaler.pt",
    "optimizer.bin",  # FSDP's, as the next
    "pytorch_model_fsdp.bin",
    "trainer_state.json",
    "training_args.bin",
)


def folder_of(job: Path, step: int) -> Path:
    """Return where the Trainer writes the checkpoint of `step`."""
    return job / f"checkpoint-{step}"


def seal(job: Path, step: int) -> None:
    """Put the checkpoint on the disk, mark it whole, and make the older ones light."""
    folder = folder_of(job, step)
    for path in folder.iterdir():
        _sync(path)
    (folder / SEAL).touch()
    _sync(folder)
    _sync(job)
    for other in steps(job):
        if other < step:
            _lighten(folder_of(job, other))


def steps(job: Path) -> list[int]:
    """Return the steps of whole checkpoints, ascending."""
    found = [path.parent for path in job.glob(f"checkpoint-*/{SEAL}")]
    return sorted(int(path.name.rpartition("-")[2]) for path in found)


def newest(job: Path, kept: set[int]) -> Path | None:
    """Return the newest whole checkpoint that a job can go on from, having removed what is no use.

    Parameters
    ----------
    job : pathlib.Path
        The job's folder.
    kept : set of int
        Steps that are models in their own right; others (written at a pause) go once a newer one is there.
    """
    drop_halves(job)
    whole = steps(job)
    for step in whole[:-1]:
        if step not in kept:
            shutil.rmtree(folder_of(job, step))
    usable = [step for step in whole if (folder_of(job, step) / "trainer_state.json").exists()]
    return folder_of(job, usable[-1]) if usable else None


def drop_halves(job: Path) -> None:
    """Remove checkpoints that were not written to their end."""
    for path in job.glob("checkpoint-*"):
        if not (path / SEAL).exists():
            shutil.rmtree(path, ignore_errors=True)


def drop_passing(job: Path, kept: set[int]) -> None:
    """After a job's end: remove pause checkpoints and half-written ones, and what only going on needs."""
    for path in sorted(job.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2])):
        if int(path.name.rpartition("-")[2]) in kept:
            _lighten(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def tidy(db: Database, store: DataFolder, job_id: str) -> None:
    """Where the job has ended, however it did, keep nothing but its models: a full disk needs the room."""
    if job_rows.status(db, job_id) in job_rows.TERMINAL:
        registered = db.all("select step from checkpoints where job = ?", job_id)
        drop_passing(store.job(job_id), {row["step"] for row in registered})


def let_go(db: Database, store: DataFolder, job_id: str, worker: str | None = None) -> None:
    """Release a job that `worker` (None: anyone) holds, tidied.

    A client may cancel it between the look and the release, and leave the tidying to the holder: hence the second look.
    """
    tidy(db, store, job_id)
    job_rows.release(db, job_id, worker)
    tidy(db, store, job_id)


def _lighten(folder: Path) -> None:
    for pattern in RESUME_ONLY:
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
