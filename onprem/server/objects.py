"""Rows of the store as OpenAI's objects."""

import json

from onprem.store.jobs import decode

OPENAI_THREE = ("n_epochs", "batch_size", "learning_rate_multiplier")
EVENT_FIELDS = ("id", "created_at", "level", "message", "type")
JOB_FIELDS = (
    "id", "created_at", "error", "fine_tuned_model", "finished_at", "model", "result_files", "seed", "status",
    "trained_tokens", "training_file", "validation_file", "estimated_finish", "metadata",
)  # fmt: skip


def file_object(row: dict) -> dict:
    """Shape a file; `expires_at` is there where it expires."""
    fields = ("id", "bytes", "created_at", "filename", "purpose")
    expiry = {} if row["expires_at"] is None else {"expires_at": row["expires_at"]}
    return {"object": "file", **{name: row[name] for name in fields}, **expiry, "status": "processed"}


def job_object(row: dict) -> dict:
    """Shape a job; hyperparameters are resolved as soon as its files are validated."""
    job = decode(row) if isinstance(row["method"], str) else row
    kind, asked = job["method"]["type"], job["method"]["hyperparameters"]
    resolved = job["hyperparameters"]
    names = (*OPENAI_THREE, "beta") if kind == "dpo" else OPENAI_THREE
    shown = asked | {name: resolved.get(name, asked.get(name, "auto")) for name in names}
    if resolved and "lora" in asked:
        shown["lora"] = resolved["lora"] is not None
    return {
        "object": "fine_tuning.job",
        **{name: job[name] for name in JOB_FIELDS},
        "organization_id": job["tenant"],
        "hyperparameters": shown,
        "method": {"type": kind, kind: {"hyperparameters": shown}},
        "integrations": job["integrations"] or [],
        "user_provided_suffix": job["suffix"],
    }


def event_object(row: dict) -> dict:
    """Shape an event."""
    fields = {name: row[name] for name in EVENT_FIELDS}
    return {"object": "fine_tuning.job.event", **fields, "data": json.loads(row["data"])}


def checkpoint_object(row: dict) -> dict:
    """Shape a checkpoint."""
    metrics = {k: v for k, v in json.loads(row["metrics"]).items() if k != "total_steps"}
    return {
        "object": "fine_tuning.job.checkpoint", "id": row["id"], "created_at": row["created_at"],
        "fine_tuned_model_checkpoint": row["model"], "fine_tuning_job_id": row["job"], "metrics": metrics,
        "step_number": row["step"],
    }  # fmt: skip


def model_object(row: dict) -> dict:
    """Shape a model."""
    owner = "onprem" if row["kind"] == "base" else row["tenant"]
    return {"object": "model", "id": row["name"], "created": row["created_at"], "owned_by": owner}
