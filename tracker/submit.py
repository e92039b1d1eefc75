"""Making a job from files on this machine: checks, run, uploads, the job itself, each exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import TYPE_CHECKING, Any

from tracker import drafts
from tracker.create import create, find
from tracker.errors import Doubtful, InputError, ProviderError, StoreAway
from tracker.follow import take_note
from tracker.jobs import EXPERIMENT_TAG, JOB_TAG, LOOP_TAG, METADATA_CHARS, JobRequest, TrackedJob, number_of
from tracker.prices import lifetime
from tracker.runs import PARENT, RunRow, reader
from tracker.tuning import COLOUR_TAG, Loop, colour, tracked
from tracker.upload import DataFile, check, upload

if TYPE_CHECKING:
    from tracker.session import Session

log = logging.getLogger(__name__)

#: Seconds by which the provider's clock may be behind ours.
CLOCKS_S = 60.0


async def submit(session: Session, request: JobRequest, loop: Loop | None, job_key: str | None) -> TrackedJob:
    """Make a job once per key; see :meth:`tracker.session.Session.submit`."""
    store = reader(session.tracking_uri)
    row = next(reversed(store.runs(tag=(JOB_TAG, job_key))), None) if job_key else None
    if row and "job.id" in row.tags:
        return tracked(row, store.latest([row.run_id])[row.run_id])
    files = await asyncio.to_thread(verify, session, request)
    draft = drafts.fingerprint(session.settings.host, request, [file.sha256 for file in files])
    row = row or (None if job_key or loop else drafts.find(store, draft))
    key = job_key or (row.tags[JOB_TAG] if row else f"job-{uuid.uuid4().hex[:12]}")
    # The files go first: where the provider does not answer or does not take them, nothing is left behind.
    body = await _request(session, request, files, loop, key)
    tags = {drafts.REQUEST_TAG: draft, drafts.SUBMITTER_TAG: drafts.me()}
    run_id = await asyncio.to_thread(_open_run, session, request, files, loop, key, tags, row)
    job = TrackedJob("", run_id, key, "submitting", request.model, number=number_of(key))
    job.parent = loop.run_id if loop else None
    try:
        served = await _made_before(session, body, key, row) if row else None
        served = served or await create(session.endpoint, body, key)
    except BaseException as error:
        await asyncio.to_thread(_close_run, session, run_id, error, row)
        raise
    take_note(job, served, session.provider)
    if job.done:
        job.status = "unknown"  # made long ago: the follower has still to read it
    _note_id(session, job)
    return job


def verify(session: Session, request: JobRequest) -> list[DataFile]:
    """Return the checked files.

    Raises
    ------
    InputError
        All that is wrong with the request, together.
    """
    problems = session.provider.problems(request.hyperparameters)
    problems += lifetime(session.provider.name, request.model)[0]
    try:
        files = check([path for path in (request.train, request.valid) if path is not None])
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    if len({file.sha256 for file in files}) < len(files):
        log.warning("Training and validation file are the same: the validation loss will say nothing new.")
    return files


async def _request(
    session: Session, request: JobRequest, files: list[DataFile], loop: Loop | None, key: str
) -> dict[str, Any]:
    """Send the files, as far as the provider does not have them, and return the request that makes the job."""
    account = session.settings.host
    ids = [await upload(session.endpoint, session.spool, account, file) for file in files]
    return session.provider.request(
        model=request.model,
        training_file=ids[0],
        validation_file=ids[1] if len(ids) > 1 else None,
        hyperparameters=request.hyperparameters,
        seed=request.seed,
        suffix=request.suffix,
        metadata=_metadata(request, files, loop, key),
        extra_body=request.extra or None,
    )


def _metadata(request: JobRequest, files: list[DataFile], loop: Loop | None, key: str) -> dict[str, str]:
    """Return the pairs that go with the job: the user's, and ours by which it is found again and filed."""
    ours = {JOB_TAG: key, EXPERIMENT_TAG: _experiment(request, files, loop)[:METADATA_CHARS]}
    return {**request.metadata, **ours, **({LOOP_TAG: loop.name[:METADATA_CHARS]} if loop else {})}


def _experiment(request: JobRequest, files: list[DataFile], loop: Loop | None) -> str:
    return loop.experiment if loop else (request.experiment or files[0].path.stem)


async def _made_before(
    session: Session, body: dict[str, Any], key: str, row: RunRow
) -> dict[str, Any] | None:
    """Return the job that an earlier, interrupted submission under this key made."""
    others = {other.tags["job.id"] for other in reader(session.tracking_uri).runs(tag=("job.id", None))}
    return await find(session.endpoint, key, body, others, (row.start_ms or 0) / 1000 - CLOCKS_S)


def _open_run(
    session: Session,
    request: JobRequest,
    files: list[DataFile],
    loop: Loop | None,
    key: str,
    tags: dict[str, str],
    row: RunRow | None,
) -> str:
    """Make the run before the job, so that the key is known whatever happens; complete one that was begun."""
    experiment = _experiment(request, files, loop)
    name = f"{loop.name} {number_of(key)}" if loop and number_of(key) else (request.suffix or key)
    tags = {JOB_TAG: key, "job.status": "submitting", "job.endpoint": session.settings.host, **tags}
    if loop:
        tags |= {LOOP_TAG: loop.name, PARENT: loop.run_id, COLOUR_TAG: colour(number_of(key) or 1)}
    if row is None:
        run_id = session.store.create_run(experiment, name, tags, int(time.time() * 1000))
    else:
        run_id = row.run_id
        session.store.set_tags(run_id, tags)
    session.store.set_status(run_id, "SCHEDULED")
    _describe(session, run_id, request, files)
    return run_id


def _describe(session: Session, run_id: str, request: JobRequest, files: list[DataFile]) -> None:
    """Write what was asked for, and the data: by digest, and whole only where the user said so."""
    asked = {
        f"requested.{knob}": str(value)
        for knob, value in request.hyperparameters.items()
        if value is not None
    }
    session.store.log_params(run_id, {**asked, "requested.model": request.model, **_described(files)})
    contexts = ("training", "validation")
    datasets = [
        {
            "context": context,
            "name": file.path.name,
            "digest": file.sha256[:12],
            "source": file.sent_name,
            "schema": file.schema,
        }
        for context, file in zip(contexts, files, strict=False)
    ]
    session.store.log_datasets(run_id, datasets)
    for file in files if request.log_data else ():
        session.store.log_file(run_id, "data", file.path)


def _described(files: list[DataFile]) -> dict[str, str]:
    found = {}
    for side, file in zip(("train", "valid"), files, strict=False):
        found |= {
            f"{side}_file": str(file.path),
            f"{side}_sha256": file.sha256,
            f"n_{side}_examples": str(file.n_examples),
        }
        if file.tokens is not None:
            found[f"{side}_tokens"] = str(file.tokens)
    return found


def _note_id(session: Session, job: TrackedJob) -> None:
    """Tie run and job together: at once where MLflow answers, through the spool where it does not."""
    tags = {"job.id": job.id, "job.status": job.status}
    try:
        session.store.set_tags(job.run_id, tags)
    except StoreAway:
        session.spool.put(f"run:{job.run_id}", [("tags", tags)])


def _close_run(session: Session, run_id: str, error: BaseException, row: RunRow | None) -> None:
    """A refused call leaves no run among the jobs; where a job may have been made, a draft to go on from."""
    certain = isinstance(error, ProviderError) and not isinstance(error, Doubtful)
    try:
        if certain and row is None:
            session.store.delete_run(run_id)
        else:
            session.store.set_tags(run_id, {drafts.SUBMITTER_TAG: drafts.NOBODY, "job.error": str(error)})
    except StoreAway:
        return
