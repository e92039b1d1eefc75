"""/v1/files: upload, list, retrieve, content, delete."""

import asyncio
import json
import time

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.datastructures import UploadFile

from onprem import ids
from onprem.server.context import Ctx, Tenant
from onprem.server.errors import ApiError, joined
from onprem.server.objects import file_object
from onprem.server.paging import FileLimit, page
from onprem.server.receive import receive
from onprem.server.wording import Problem
from onprem.store import files as file_rows
from onprem.store.jobs import LIVE

router = APIRouter(prefix="/v1/files")

PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")
MIN_EXPIRY, MAX_EXPIRY = 3600, 2_592_000  # seconds: OpenAI's 1 hour and 30 days

UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(PURPOSES)},
                        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                        "expires_after[seconds]": {
                            "type": "integer",
                            "minimum": MIN_EXPIRY,
                            "maximum": MAX_EXPIRY,
                        },
                    },
                }
            }
        },
    }
}


@router.post("", openapi_extra=UPLOAD_BODY)
async def upload(request: Request, context: Ctx, tenant: Tenant) -> dict:
    """Take a file; one for fine-tuning is checked line by line before it is accepted."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ApiError(400, "Expected a multipart/form-data upload with the fields `file` and `purpose`.")
    async with request.form(max_files=1, max_fields=10) as form:
        upload, purpose = form.get("file"), form.get("purpose")
        seconds, problems = _expiry(form.get("expires_after[anchor]"), form.get("expires_after[seconds]"))
        if purpose not in PURPOSES:
            expected = f"Invalid value for 'purpose': expected one of {', '.join(PURPOSES)}"
            problems = [("purpose", expected, "invalid_value"), *problems]
        if not isinstance(upload, UploadFile):
            text = "Missing required parameter: 'file'"
            problems = [("file", text, "missing_required_parameter"), *problems]
        if problems:
            raise ApiError(400, joined(problems), param=problems[0][0], code=problems[0][2])
        row = await asyncio.to_thread(
            receive, context, tenant, upload.file, upload.filename or "file", purpose, seconds
        )
    if purpose == "fine-tune":
        context.pool.poke()  # the workers' imports take seconds: now, while the client prepares its job
        context.sampler.warm()
    return file_object(row)


@router.get("")
def list_files(
    context: Ctx, tenant: Tenant, purpose: str | None = None, after: str | None = None,
    limit: FileLimit = 10_000, order: str = "desc",
) -> dict:  # fmt: skip
    """List files, newest first unless `order` is asc."""
    if order not in ("asc", "desc"):
        raise ApiError(
            400, "Invalid value for 'order': expected asc or desc.", param="order", code="invalid_value"
        )
    where, values = "tenant = ? and (expires_at is null or expires_at > ?)", (tenant, time.time())
    if purpose:
        where, values = where + " and purpose = ?", (*values, purpose)
    return page(
        context.db, "files", where, values, file_object, after=after, limit=limit,
        ascending=order == "asc", ends=True,
    )  # fmt: skip


@router.get("/{file_id}")
def retrieve(file_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Return a file's description."""
    return file_object(_get(context, tenant, file_id))


@router.get("/{file_id}/content", response_class=FileResponse)
def content(file_id: str, context: Ctx, tenant: Tenant) -> FileResponse:
    """Return a file's content."""
    row, path = _get(context, tenant, file_id), context.folder.file(file_id)
    if not path.is_file():
        text = f"The content of {file_id} is gone from the server's disk. Upload it again."
        raise ApiError(404, text, param="id", code="file_content_gone")
    return FileResponse(path, media_type="application/octet-stream", filename=row["filename"])


@router.delete("/{file_id}")
def delete(file_id: str, context: Ctx, tenant: Tenant) -> dict:
    """Delete a file that no live job needs."""
    _get(context, tenant, file_id)
    user = context.db.one(
        f"select id from jobs where ? in (training_file, validation_file) and status in {LIVE}", file_id
    )
    if user:
        text = f"File {file_id} is in use by {user['id']}. Cancel that job or wait for its end, then delete the file."
        raise ApiError(409, text, param="id", code="file_in_use")
    if not file_rows.remove(context.db, context.folder, file_id):  # another request was first
        _get(context, tenant, file_id)
    return {"id": file_id, "object": "file", "deleted": True}


def _get(context: Ctx, tenant: str, file_id: str) -> dict:
    row = file_rows.get(context.db, tenant, file_id)
    if row is None:
        raise ApiError(404, f"No such File object: {ids.shown(file_id)}", param="id")
    return row


def _expiry(anchor: object, seconds: object) -> tuple[int | None, list[Problem]]:
    """Return the seconds after which a file expires, and what is wrong with them."""
    if anchor is None and seconds is None:
        return None, []
    try:
        value = json.loads(str(seconds))
    except ValueError:
        value = None
    if anchor != "created_at" or type(value) is not int or not MIN_EXPIRY <= value <= MAX_EXPIRY:
        text = f"'expires_after' must have anchor created_at and seconds from {MIN_EXPIRY} to {MAX_EXPIRY}"
        return None, [("expires_after", text, "invalid_value")]
    return value, []
