"""Together AI through its own client (the optional extra ``together``): jobs, metrics and checkpoints in our shapes.

Read from the client's source (3.1); not tried against the service itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tracker.endpoint import Item, Page
from tracker.errors import InputError
from tracker.points import seconds
from tracker.providers.base import Provider
from tracker.providers.own_client import OwnClient
from tracker.settings import Settings

PROVIDER = Provider(
    name="together",
    title="Together AI",
    base_url="https://api.together.ai/v1",
    hosts=("api.together.ai", "api.together.xyz"),
    url_env=("TOGETHER_BASE_URL",),
    key_env=("TOGETHER_API_KEY",),
    # Working range around the client's default of 1e-5; each model's own limits are at its route models/limits.
    limits={
        "n_epochs": {"min": 1, "max": 20},
        "batch_size": {"min": 8, "max": 128},
        "learning_rate": {"min": 1e-6, "max": 1e-3},
    },
    omits_auto=True,
    auto='There is no "auto": what is left out is 1 epoch, the largest batch, a learning rate of 1e-5 (the client\'s defaults).',
    statuses={
        "completed": "succeeded",
        "error": "failed",
        "user_error": "failed",
        "compressing": "running",
        "uploading": "running",
        "cancel_requested": "running",
    },
    client="together",
    notes="Jobs carry no metadata; after a doubtful answer a job is recognised by its files.",
)

#: The client's names of metrics -> the API's. Evaluation runs over the whole validation file.
METRICS = {
    "train/loss": "train_loss",
    "loss": "train_loss",
    "eval/loss": "full_valid_loss",
    "eval_loss": "full_valid_loss",
    "train/accuracy": "train_mean_token_accuracy",
    "eval/accuracy": "full_valid_mean_token_accuracy",
}

#: Fields of our request that their create takes by other names, and those that it does not take.
RENAMED = {"seed": "random_seed"}
DROPPED = ("metadata", "method")


class TogetherEndpoint(OwnClient):
    """Implements :class:`tracker.endpoint.Endpoint`."""

    async def jobs(self, after: str | None = None, metadata: dict[str, str] | None = None) -> Page:
        body = await self._read(lambda: self._client.fine_tuning.with_raw_response.list())
        items = [job_of(item) for item in body.get("data") or []]
        return Page(sorted(items, key=lambda job: -(job["created_at"] or 0)), None)

    async def job(self, job_id: str) -> Item:
        return job_of(await self._read(lambda: self._client.fine_tuning.with_raw_response.retrieve(job_id)))

    async def events(self, job_id: str, after: str | None = None) -> Page:
        raw = self._client.fine_tuning.with_raw_response
        told = await self._read(lambda: raw.list_events(job_id))
        measured = await self._read(lambda: raw.list_metrics(job_id))
        events = [_message(event) for event in told.get("data") or []]
        start = next((event["created_at"] for event in events if event["created_at"]), 0)
        return Page(events + [_metrics(row, start) for row in measured.get("metrics") or []], None)

    async def checkpoints(self, job_id: str, after: str | None = None) -> Page:
        body = await self._read(lambda: self._client.fine_tuning.with_raw_response.list_checkpoints(job_id))
        return Page([_checkpoint(item) for item in body.get("data") or []], None)

    async def files(self, after: str | None = None) -> Page:
        body = await self._read(lambda: self._client.files.with_raw_response.list())
        return Page(list(body.get("data") or []), None)

    async def file(self, file_id: str) -> Item:
        return await self._read(lambda: self._client.files.with_raw_response.retrieve(file_id))

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        await self.limit.slot()
        async with self._errors():
            answer = await self._client.files.content(file_id)
            async for chunk in answer.iter_bytes():
                yield chunk

    async def upload(self, path: Path, filename: str) -> Item:
        # The client sends a file under its own name only, in several requests of its own.
        await self.limit.slot()
        async with self._errors():
            sent = await self._client.files.upload(path, purpose="fine-tune", check=False)
        return {"id": sent.id}

    async def create(self, request: Item) -> Item:
        wire = dict(((request.get("method") or {}).get("supervised") or {}).get("hyperparameters") or {})
        rest = {RENAMED.get(k, k): v for k, v in request.items() if k not in (*DROPPED, "extra_body")}
        extra = {**rest, **wire, **(request.get("extra_body") or {})}
        return job_of(await self._once(lambda: self._client.fine_tuning.create(**extra)))

    async def cancel(self, job_id: str) -> Item:
        await self._read(lambda: self._client.fine_tuning.with_raw_response.cancel(job_id))
        return await self.job(job_id)


def job_of(item: Item) -> Item:
    """Return a job of theirs in the API's shape; what has no place there stays under its own name."""
    knobs = {
        k: item.get(k)
        for k in ("n_epochs", "batch_size", "learning_rate")
        if item.get(k) not in (None, "max")
    }
    return {
        **item,
        "id": item["id"],
        "created_at": seconds(item.get("created_at")) or 0,
        "finished_at": seconds(item.get("updated_at")) if item.get("status") == "completed" else None,
        "training_file": item.get("training_file"),
        "validation_file": item.get("validation_file") or None,
        "hyperparameters": knobs,
        "seed": item.get("random_seed"),
        "trained_tokens": item.get("token_count") or None,
        "fine_tuned_model": item.get("model_output_name") if item.get("status") == "completed" else None,
        "events": None,
    }


def _message(event: Item) -> Item:
    return {**event, "id": event.get("hash") or None, "created_at": seconds(event.get("created_at")), "type": "message",
            "data": {"total_steps": event.get("total_steps")}}  # fmt: skip


def _metrics(row: dict[str, float], start: float) -> Item:
    """Return a row of metrics as an event; one without a time gets the job's start plus its step in milliseconds."""
    step = row.get("train/global_step", row.get("global_step", row.get("step")))
    at = row.get("timestamp") or row.get("train/timestamp")
    created = float(at) if at else start + float(step or 0) / 1000
    data: dict[str, Any] = {METRICS[key]: value for key, value in row.items() if key in METRICS}
    key = "eval" if any(name.startswith("full_valid") for name in data) else "train"
    return {"id": f"{key}-{step}", "created_at": created, "type": "metrics", "data": {"step": step, **data}}


def _checkpoint(item: Item) -> Item:
    return {"id": item.get("path"), "created_at": seconds(item.get("created_at")), "step_number": item.get("step"),
            "fine_tuned_model_checkpoint": item.get("object_name") or item.get("path"), "metrics": {}}  # fmt: skip


def open_endpoint(settings: Settings, provider: Provider) -> TogetherEndpoint:
    """Open an account."""
    try:
        import together
    except ImportError:
        raise InputError('Together needs its own client: pip install "finetune-advisor[together]".') from None
    address = settings.base_url.rstrip("/").removesuffix("/v1")
    client = together.AsyncTogether(api_key=settings.api_key, base_url=address, max_retries=0)
    return TogetherEndpoint(together, client, provider)
