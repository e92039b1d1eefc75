"""/v1/fine_tuning/jobs: create, list, retrieve, cancel, pause, resume, events, checkpoints."""

import asyncio
import secrets
import time

from fastapi import APIRouter, BackgroundTasks, Request

from onprem import ids
from onprem.server.context import Context, Ctx, Tenant
from onprem.server.creation import also_wrong, new_job, validate
from onprem.server.errors import ApiError
from onprem.server.objects import checkpoint_object, event_object, job_object
from onprem.server.paging import Limit, page
from onprem.server.schemas import JobCreate
from onprem.store import jobs as job_rows
from onprem.training import checkpoint  # knows files alone: no torch

router = APIRouter(prefix="/v1/fine_tuning/jobs")


@router.post("")
async def create(body: JobCreate, background: BackgroundTasks, context: Ctx, tenant: Tenant) -> dict:
    """Create a job; its files are validated after the answer, then it is queued."""
    job = await asyncio.to_thread(new_job, context, tenant, body)

    async def check_and_queue() -> None:
        await asyncio.to_thread(validate, context, job)
        context.pool.poke()
        context.sampler.warm()

    background.add_task(check_and_queue)
    return job_object(job)


create.also_wrong = also_wrong


# FastAPI cannot say that `metadata` is spelt metadata[key]=value, as OpenAI's is.
METADATA = {"name": "metadata", "in": "query", "style": "deepObject", "explode": True, "required": False,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}}}  # fmt: skip


@router.get("", openapi_extra={"parameters": [METADATA]})
def list_jobs(
    request: Request, context: Ctx, tenant: Tenant, after: str | None = None, limit: Limit = 20
) -> dict:  # fmt: skip
    """List jobs, newest first; `metadata[key]=value` keeps those that carry the pair, `metadata=null` those without."""
    where, values = "tenant = ?", (tenant,)
    for name, value in request.query_params.multi_items():
        if name == "metadata" and value == "null":
            where += " and (metadata is null or metadata = '{}')"
        elif name == "metadata":
            text = "Invalid value for 'metadata': expected metadata[key]=value, or metadata=null"
            raise ApiError(400, text, param="metadata", code="invalid_value")
        elif name.startswith("metadata[") and name.endswith("]"):
            where += " and exists(select 1 from job_metadata m where m.job = jobs.id and m.key = ? and m.value = ?)"
            values += (name[len("metadata[") : -1], value)
    return page(context.db, "jobs", where, values, job_object, after=after, limit=limit)


@router.get("/{fine_tuning_job_id}")
def retrieve(fine_tuning_job_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Return a job."""
    return job_object(_get(context, tenant, fine_tuning_job_id))


@router.post("/{fine_tuning_job_id}/cancel")
def cancel(fine_tuning_job_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Cancel a job at once; one that trains stops after its step."""
    live = ("validating_files", "queued", "running", "paused")
    answer = _move(
        context, tenant, fine_tuning_job_id, live, "cancelled", "The job was cancelled",
        finished_at=int(time.time()), estimated_finish=None,
    )  # fmt: skip
    if context.db.one("select 1 from jobs where id = ? and worker is null", fine_tuning_job_id):
        checkpoint.tidy(context.db, context.folder, fine_tuning_job_id)  # else its worker does
    return answer


@router.post("/{fine_tuning_job_id}/pause")
def pause(fine_tuning_job_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Pause a queued or running job; one that trains saves a checkpoint after its step."""
    return _move(
        context,
        tenant,
        fine_tuning_job_id,
        ("queued", "running"),
        "paused",
        "The job was paused",
        estimated_finish=None,
    )


@router.post("/{fine_tuning_job_id}/resume")
async def resume(fine_tuning_job_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Put a paused job back into the queue."""
    answer = await asyncio.to_thread(
        _move,
        context,
        tenant,
        fine_tuning_job_id,
        ("paused",),
        "queued",
        "The job was resumed: moved to queued state",
    )
    context.pool.poke()
    return answer


@router.get("/{fine_tuning_job_id}/events")
def events(
    fine_tuning_job_id: str, context: Ctx, tenant: Tenant, after: str | None = None, limit: Limit = 20
) -> dict:
    """List a job's events, newest first."""
    _get(context, tenant, fine_tuning_job_id)
    return page(
        context.db, "events", "job = ?", (fine_tuning_job_id,), event_object, after=after, limit=limit
    )


@router.get("/{fine_tuning_job_id}/checkpoints")
def checkpoints(
    fine_tuning_job_id: str, context: Ctx, tenant: Tenant, after: str | None = None, limit: Limit = 10
) -> dict:
    """List a job's checkpoints, newest first."""
    _get(context, tenant, fine_tuning_job_id)
    return page(
        context.db,
        "checkpoints",
        "job = ?",
        (fine_tuning_job_id,),
        checkpoint_object,
        after=after,
        limit=limit,
        ends=True,
    )


def _get(context: Context, tenant: str, job_id: str) -> dict:
    job = job_rows.get(context.db, tenant, job_id)
    if job is None:
        text = f"Could not find fine tune: {ids.shown(job_id)}"
        raise ApiError(404, text, param="fine_tuning_job_id", code="fine_tune_not_found")
    return job


def _move(
    context: Context, tenant: str, job_id: str, expected: tuple, to: str, message: str, **values
) -> dict:  # fmt: skip
    job = _get(context, tenant, job_id)
    key = f"message:{to}:{secrets.token_hex(4)}"
    if not job_rows.move(context.db, job_id, expected, to, key, message, **values):
        verb = {"cancelled": "cancelled", "paused": "paused", "queued": "resumed"}[to]
        text = f"Job {job_id} is {job['status']} and cannot be {verb}; that takes a job that is {' or '.join(expected)}."
        raise ApiError(400, text, param="fine_tuning_job_id", code="invalid_job_status")
    return job_object(job_rows.get(context.db, tenant, job_id))
