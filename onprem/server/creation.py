"""A new job: what it names must be there and fit, all problems told together; then validated and queued."""

import hashlib
import logging
import random
import time
from typing import Any

from fastapi import Request

from onprem import ids
from onprem.formats import METHOD_FORMATS
from onprem.resolve import resolve
from onprem.server.context import Context, tenant_of
from onprem.server.errors import ApiError, joined
from onprem.server.schemas import SEED_LIMIT, JobCreate
from onprem.server.wording import Problem
from onprem.store import files as file_rows
from onprem.store import jobs as job_rows
from onprem.store import models as model_rows

log = logging.getLogger("onprem.server")


def new_job(context: Context, tenant: str, body: JobCreate) -> dict:
    """Check what can be checked at once, and store the job as `validating_files`.

    Raises
    ------
    ApiError
        Naming every field that does not fit.
    """
    method, asked = body.chosen_method()
    problems = unfit(context, tenant, body.model_dump(), method)
    if problems:
        raise ApiError(400, joined(problems), param=problems[0][0], code=problems[0][2])
    row = {
        "id": ids.new("ftjob"), "tenant": tenant, "model": body.model, "status": "validating_files",
        "created_at": int(time.time()), "training_file": body.training_file, "validation_file": body.validation_file,
        "suffix": body.suffix, "seed": random.randint(0, SEED_LIMIT) if body.seed is None else body.seed,
        "method": {"type": method, "hyperparameters": asked}, "hyperparameters": {}, "metadata": body.metadata,
        "integrations": [i.model_dump() for i in body.integrations or []], "priority": body.priority,
    }  # fmt: skip
    job = job_rows.create(context.db, row, context.limits.live_jobs)
    if job is None:
        text = f"You have {context.limits.live_jobs} jobs that have not ended, which is this server's limit. Wait or cancel some."
        raise ApiError(429, text, code="job_limit_exceeded")
    return job


def also_wrong(request: Request, raw: Any) -> list[Problem]:
    """Return what is wrong with the model and the files of a body whose other fields are wrong."""
    context = request.app.state.context
    if not isinstance(raw, dict):
        return []
    method = raw.get("method") if isinstance(raw.get("method"), dict) else {}
    return unfit(context, tenant_of(request), raw, method.get("type", "supervised"))


def unfit(context: Context, tenant: str, asked: dict, method: str) -> list[Problem]:
    """Return what is wrong with the model and the files that are named, as far as they are names."""
    problems = []
    if _is_text(asked.get("model")):
        problems += _model_problems(context, tenant, asked["model"])
    for param in ("training_file", "validation_file"):
        if _is_text(asked.get(param)):
            problems += _file_problems(context, tenant, param, asked[param], method)
    return problems


def _is_text(value: Any) -> bool:
    """Tell whether it is a string that can be looked up: JSON can spell half a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def validate(context: Context, job: dict) -> None:
    """Queue the job, or fail it: whatever is wrong with one job, the server and the other jobs go on."""
    try:
        _validate(context, job)
    except Exception as error:
        kind = type(error).__name__
        log.error("job %s: %s while it was validated", job["id"], kind)
        text = (
            f"The server could not validate this job ({kind}). Tell its operator, and create the job again."
        )
        job_rows.fail(context.db, job["id"], "internal_error", text)


def _validate(context: Context, job: dict) -> None:
    """See that the files are still what was uploaded, resolve the hyperparameters, and queue the job."""
    for param in ("training_file", "validation_file"):
        file = job[param] and file_rows.get(context.db, job["tenant"], job[param])
        if job[param] and (file is None or _digest(context.folder.file(job[param])) != file["sha256"]):
            text = f"The content of {job[param]} is gone or no longer what was uploaded. Upload it again."
            job_rows.fail(context.db, job["id"], f"invalid_{param}", text, param)
            return
    n_examples = file_rows.get(context.db, job["tenant"], job["training_file"])["n_examples"]
    model = model_rows.get(context.db, job["tenant"], job["model"])
    if model is None:
        text = f"The job cannot start: the model {job['model']} is no longer registered."
        job_rows.fail(context.db, job["id"], "model_not_available", text, "model")
        return
    hp = resolve(job["method"]["hyperparameters"], job["method"]["type"], n_examples, model)
    job_rows.move(
        context.db, job["id"], ("validating_files",), "queued", "message:queued",
        "Files validated, moving job to queued state", hyperparameters=hp,
    )  # fmt: skip


def _model_problems(context: Context, tenant: str, name: str) -> list[Problem]:
    if model_rows.get(context.db, tenant, name):
        return []
    text = f"Model {ids.shown(name)} is not available for fine-tuning or does not exist; GET /v1/models lists those that are."
    return [("model", text, "model_not_available")]


def _file_problems(context: Context, tenant: str, param: str, file_id: str, method: str) -> list[Problem]:
    row = file_rows.get(context.db, tenant, file_id)
    if row is None:
        return [(param, f"{param}: no such File object: {ids.shown(file_id)}.", "invalid_file")]
    if row["purpose"] != "fine-tune":
        text = f"{param}: {file_id} has purpose {row['purpose']}; upload it with purpose fine-tune."
        return [(param, text, "invalid_file_purpose")]
    if isinstance(method, str) and method in METHOD_FORMATS and row["format"] not in METHOD_FORMATS[method]:
        expected = " or ".join(METHOD_FORMATS[method])
        text = f"{param}: {file_id} holds {row['format']} rows, but method {method} takes {expected} rows."
        return [(param, text, "invalid_file_format")]
    return []


def _digest(path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
