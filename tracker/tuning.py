"""A tuning loop in MLflow: a parent run that holds the plan, a child run for each job."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from tracker.errors import InputError
from tracker.jobrecords import number
from tracker.jobs import JOB_TAG, LOOP_TAG, TrackedJob, number_of
from tracker.mlflow_limits import TAG_CHARS
from tracker.runs import PARENT, Reader, RunRow, reader
from tracker.store import found_uri

KIND_TAG, SPEC_TAG, NAME_TAG = "finetune_advisor.kind", "loop.spec", LOOP_TAG

COLOUR_TAG = "mlflow.runColor"

#: A job's colour in MLflow's charts by its number, since MLflow's own choice repeats: grey for the first, the reference.
PALETTE = (
    "#8c8c8c", "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#17becf", "#e377c2", "#bcbd22", "#8c564b",
)  # fmt: skip


@dataclass
class Loop:
    """A loop as its parent run tells it. ``jobs`` stand in the order of their numbers."""

    run_id: str
    name: str
    experiment: str
    finished: bool
    spec: dict[str, Any]
    spec_digest: str
    tags: dict[str, str]
    jobs: list[TrackedJob] = field(default_factory=list)


def digest(spec: dict[str, Any]) -> str:
    """Return a short digest of a spec, the same for the same content in any order."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, default=str).encode()).hexdigest()[:16]


def colour(number: int) -> str:
    """Return the colour of a loop's job by its number, counted from 1."""
    return PALETTE[(number - 1) % len(PALETTE)]


def find_loop(name: str, experiment: str | None = None, tracking_uri: str | None = None) -> Loop | None:
    """Return the newest loop of a name, None where there is none. Reads only, and needs no provider."""
    store = reader(tracking_uri or found_uri())
    rows = [
        row
        for row in store.runs(experiment=experiment, tag=(KIND_TAG, "loop"))
        if row.tags.get(NAME_TAG) == name
    ]
    return loop_of(store, rows[-1]) if rows else None


def loops(tracking_uri: str | None = None) -> list[Loop]:
    """Return all loops of the store, oldest first."""
    store = reader(tracking_uri or found_uri())
    return [loop_of(store, row) for row in store.runs(tag=(KIND_TAG, "loop"))]


def make_loop(store: Any, name: str, experiment: str, spec: dict[str, Any]) -> Loop:
    """Make a loop's parent run in a :class:`tracker.mlflow_store.MlflowStore`.

    Raises
    ------
    InputError
        Where the spec is longer than MLflow keeps.
    """
    text = json.dumps(spec, sort_keys=True, default=str)
    if len(text) > TAG_CHARS:
        raise InputError(
            f"The spec of loop {name!r} has {len(text)} characters as JSON; MLflow keeps {TAG_CHARS}."
        )
    tags = {KIND_TAG: "loop", NAME_TAG: name, SPEC_TAG: text, "loop.digest": digest(spec)}
    run_id = store.create_run(experiment, name, tags, int(time.time() * 1000))
    store.set_status(run_id, "RUNNING")
    (row,) = reader(store.uri).runs(run_ids=[run_id])
    return loop_of(reader(store.uri), row)


def end_of(loop: Loop, tracking_uri: str) -> int:
    """Return when a loop ended, in milliseconds: with its last job."""
    rows = reader(tracking_uri).runs(run_ids=[job.run_id for job in loop.jobs])
    return max((row.end_ms or 0 for row in rows), default=0) or int(time.time() * 1000)


def loop_of(store: Reader, row: RunRow) -> Loop:
    """Return the loop that a parent run holds."""
    children = store.runs(tag=(PARENT, row.run_id))
    latest = store.latest([child.run_id for child in children])
    jobs = [tracked(child, latest[child.run_id]) for child in children]
    jobs.sort(key=lambda job: (job.number is None, job.number, job.key))
    spec = json.loads(row.tags.get(SPEC_TAG) or "{}")
    finished = row.status == "FINISHED"
    return Loop(
        row.run_id, row.tags.get(NAME_TAG, ""), row.experiment, finished, spec, digest(spec), row.tags, jobs
    )


def tracked(row: RunRow, latest: dict[str, float]) -> TrackedJob:
    """Return the job that a run holds, with its last figures."""
    tags = row.tags
    key = tags.get(JOB_TAG, "")
    knobs = {k: number(row.params[k]) for k in ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")
             if k in row.params}  # fmt: skip
    job = TrackedJob(
        tags.get("job.id", ""), row.run_id, key, tags.get("job.status", "unknown"), hyperparameters=knobs
    )
    job.model = row.params.get("model") or row.params.get("requested.model", "")
    job.number, job.parent = number_of(key), tags.get(PARENT)
    job.error, job.fine_tuned_model = tags.get("job.error"), tags.get("fine_tuned_model")
    job.total_steps = number(tags.get("job.total_steps"))
    job.train_loss, job.valid_loss = latest.get("train_loss"), latest.get("valid_loss")
    job.full_valid_loss, job.cost_usd = latest.get("full_valid_loss"), latest.get("cost_usd")
    job.trained_tokens = int(latest["trained_tokens"]) if "trained_tokens" in latest else None
    job.step = job.total_steps if job.status == "succeeded" else None
    return job


def name_runs(jobs: list[TrackedJob], uri: str) -> None:
    """Tell jobs that were found at the provider which run the writer gave them."""
    nameless = {job.id: job for job in jobs if not job.run_id}
    if not nameless:
        return
    only = next(iter(nameless)) if len(nameless) == 1 else None
    for row in reader(uri).runs(tag=("job.id", only)):
        job = nameless.get(row.tags["job.id"])
        if job is not None:
            job.run_id, job.key = row.run_id, row.tags.get(JOB_TAG, "")
