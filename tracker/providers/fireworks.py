"""Fireworks AI through its own client (the optional extra ``fireworks``): its supervised jobs in our shapes.

Read from the client's source (1.2); not tried against the service itself. Curves come from the job's metrics file, JSON
lines behind a signed address, where the job has one.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tracker.endpoint import Item, Page
from tracker.errors import InputError, Missing
from tracker.points import seconds
from tracker.providers.base import Provider
from tracker.providers.own_client import OwnClient
from tracker.settings import Settings

PROVIDER = Provider(
    name="fireworks",
    title="Fireworks AI",
    base_url="https://api.fireworks.ai",
    hosts=("api.fireworks.ai",),
    url_env=("FIREWORKS_BASE_URL",),
    key_env=("FIREWORKS_API_KEY",),
    # Working range of LoRA training; the service counts batch_size in tokens and batch_size_samples in examples.
    limits={
        "n_epochs": {"min": 1, "max": 20},
        "batch_size": {"min": 1, "max": 128},
        "learning_rate": {"min": 1e-6, "max": 1e-3},
    },
    omits_auto=True,
    auto="What is left out is the service's own choice; its answers carry the values used.",
    wire={"n_epochs": "epochs", "batch_size": "batch_size_samples"},
    statuses={
        "job_state_completed": "succeeded",
        "job_state_early_stopped": "succeeded",
        "job_state_failed": "failed",
        "job_state_expired": "failed",
        "job_state_cancelled": "cancelled",
        "job_state_paused": "paused",
        "job_state_pending": "pending",
        "job_state_idle": "pending",
        "job_state_re_queueing": "queued",
        "job_state_creating": "queued",
        "job_state_creating_input_dataset": "queued",
        "job_state_validating": "validating_files",
        "job_state_running": "running",
        "job_state_writing_results": "running",
        "job_state_cancelling": "running",
    },
    client="fireworks",
    notes="The account's name is FIREWORKS_ACCOUNT_ID. Jobs carry no metadata, but an id that we choose: ours.",
)

METRICS = {
    "train/loss": "train_loss",
    "loss": "train_loss",
    "eval/loss": "full_valid_loss",
    "eval_loss": "full_valid_loss",
}

#: The service's names in answers -> ours.
KNOBS = {
    "epochs": "n_epochs",
    "batchSizeSamples": "batch_size",
    "learningRate": "learning_rate",
    "loraRank": "lora_rank",
}


class FireworksEndpoint(OwnClient):
    """Implements :class:`tracker.endpoint.Endpoint`."""

    @property
    def _jobs(self) -> Any:
        return self._client.supervised_fine_tuning_jobs.with_raw_response

    async def jobs(self, after: str | None = None, metadata: dict[str, str] | None = None) -> Page:
        more = {"page_token": after} if after else {}
        body = await self._read(lambda: self._jobs.list(page_size=100, order_by="create_time desc", **more))
        items = [job_of(item) for item in body.get("supervisedFineTuningJobs") or []]
        return Page(items, body.get("nextPageToken") or None)

    async def job(self, job_id: str) -> Item:
        return job_of(await self._read(lambda: self._jobs.get(job_id)))

    async def events(self, job_id: str, after: str | None = None) -> Page:
        job = await self._read(lambda: self._jobs.get(job_id))
        address = job.get("metricsFileSignedUrl")
        if not address:
            return Page([], None)
        start = seconds(job.get("createTime")) or 0.0
        lines = (await self._text(address)).splitlines()
        return Page([event for line in lines if (event := _event(line, start))], None)

    async def checkpoints(self, job_id: str, after: str | None = None) -> Page:
        raise Missing("The service has no route of checkpoints.", 404)

    async def files(self, after: str | None = None) -> Page:
        more = {"page_token": after} if after else {}
        body = await self._read(lambda: self._client.datasets.with_raw_response.list(page_size=100, **more))
        return Page([_file(item) for item in body.get("datasets") or []], body.get("nextPageToken") or None)

    async def file(self, file_id: str) -> Item:
        return _file(await self._read(lambda: self._client.datasets.with_raw_response.get(_last(file_id))))

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        raise Missing(f"Dataset {file_id} is not served back.", 404)
        yield b""  # an async generator, as the interface wants it

    async def upload(self, path: Path, filename: str) -> Item:
        name = "".join(c if c.isalnum() else "-" for c in Path(filename).stem.lower())
        with path.open("rb") as file:
            examples = sum(1 for line in file if line.strip())
        raw = self._client.datasets.with_raw_response
        dataset = {"user_uploaded": {}, "example_count": str(examples), "display_name": filename}
        made = await self._once(lambda: raw.create(dataset_id=name, dataset=dataset))
        await self._once(lambda: raw.upload(name, file=path))
        return {"id": made.get("name") or name}

    async def create(self, request: Item) -> Item:
        wire = dict(((request.get("method") or {}).get("supervised") or {}).get("hyperparameters") or {})
        key = (request.get("metadata") or {}).get("finetune_advisor.job", "")
        fields = {
            "base_model": request["model"],
            "dataset": request["training_file"],
            "evaluation_dataset": request.get("validation_file"),
            "supervised_fine_tuning_job_id": "".join(c if c.isalnum() else "-" for c in key.lower()) or None,
            "display_name": request.get("suffix"),
            **wire,
            **(request.get("extra_body") or {}),
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        return job_of(await self._once(lambda: self._jobs.create(**fields)))

    async def cancel(self, job_id: str) -> Item:
        await self._read(lambda: self._jobs.cancel(job_id, body={}))
        return await self.job(job_id)

    async def _text(self, address: str) -> str:
        """Read a signed address; the client's own transport has the connection pool and the time limits."""
        async with self._errors():
            answer = await self._client._client.get(address)
        return answer.text if answer.status_code == 200 else ""


def job_of(item: Item) -> Item:
    """Return a job of theirs in the API's shape."""
    status = item.get("status") if isinstance(item.get("status"), dict) else {}
    done = str(item.get("state")) in ("JOB_STATE_COMPLETED", "JOB_STATE_EARLY_STOPPED")
    failed = status.get("code") not in (None, "OK")
    return {
        "id": _last(str(item.get("name") or "")),
        "status": item.get("state"),
        "created_at": seconds(item.get("createTime")) or 0,
        "finished_at": seconds(item.get("completedTime")),
        "model": item.get("baseModel"),
        "training_file": item.get("dataset"),
        "validation_file": item.get("evaluationDataset") or None,
        "hyperparameters": {
            ours: item[theirs] for theirs, ours in KNOBS.items() if item.get(theirs) is not None
        },
        "fine_tuned_model": item.get("outputModel") if done else None,
        "error": {"code": status.get("code"), "message": status.get("message")} if failed else None,
        "result_files": [],
    }


def _event(line: str, start: float) -> Item | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    step = (
        row.get("step", row.get("train/global_step", row.get("global_step")))
        if isinstance(row, dict)
        else None
    )
    if step is None:
        return None
    data = {METRICS[key]: value for key, value in row.items() if key in METRICS}
    created = seconds(row.get("timestamp")) or start + float(step) / 1000
    return {
        "id": f"{'-'.join(data)}-{step}",
        "created_at": created,
        "type": "metrics",
        "data": {"step": step, **data},
    }


def _file(item: Item) -> Item:
    return {"id": item.get("name"), "filename": item.get("displayName") or _last(str(item.get("name")))}


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def open_endpoint(settings: Settings, provider: Provider) -> FireworksEndpoint:
    """Open an account."""
    try:
        import fireworks
    except ImportError:
        raise InputError(
            'Fireworks needs its own client: pip install "finetune-advisor[fireworks]".'
        ) from None
    account = os.environ.get("FIREWORKS_ACCOUNT_ID")
    if not account:
        raise InputError("Fireworks needs the account's name: set FIREWORKS_ACCOUNT_ID.")
    client = fireworks.AsyncFireworks(
        api_key=settings.api_key, account_id=account, base_url=settings.base_url, max_retries=0
    )
    return FireworksEndpoint(fireworks, client, provider)
