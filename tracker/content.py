"""What a job looks like in MLflow: params, tags, points, note, artifacts. Pure, from the job as served.

The same job as served gives the same content, whether followed live, synced later or rebuilt from an archive.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from tracker.jobs import EXPERIMENT_TAG
from tracker.mlflow_limits import DIGEST_CHARS
from tracker.papers import VALIDATION_EXAMPLES, artifacts, result_rows
from tracker.points import Point, finite, in_order, merge, seconds, total_steps
from tracker.prices import cost_usd
from tracker.providers.base import RUN_STATUS, TERMINAL, Provider, resolved
from tracker.raw import RawJob
from tracker.scrub import scrub
from tracker.story import story

#: Points that go in one batch with params and tags: together at most MLflow's 1000 per request.
FIRST = 800

#: The metrics that sum a finished job up.
SUMMARIES = ("best_full_valid_loss", "best_step", "trained_tokens", "cost_usd")

_OUR_DIGEST = re.compile(r"-([0-9a-f]{12})$")

Thing = tuple[str, Any]


@dataclass
class Content:
    """Everything that one job puts into MLflow; ``things()`` is its form for the spool."""

    job_id: str
    experiment: str
    name: str
    start_ms: int
    status: str
    end_ms: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    datasets: list[dict[str, str]] = field(default_factory=list)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)

    def opening(self) -> Thing:
        """What finds or makes the run."""
        tags = {"job.id": self.job_id, **self.tags}
        return (
            "open",
            {"experiment": self.experiment, "name": self.name, "start": self.start_ms, "tags": tags},
        )

    def things(self) -> list[Thing]:
        """Everything, the status last: a run that shows as finished is complete."""
        first, rest = self.points[:FIRST], self.points[FIRST:]
        things: list[Thing] = [("record", {"params": self.params, "tags": self.tags, "points": first})]
        things += [("fill", rest[at : at + 1000]) for at in range(0, len(rest), 1000)]
        if self.datasets:
            things.append(("datasets", self.datasets))
        if self.artifacts:
            things.append(("artifacts", self.artifacts))
        if self.checkpoints:
            things.append(("checkpoints", self.checkpoints))
        things.append(("status", [RUN_STATUS.get(self.status, "RUNNING"), self.end_ms]))
        return things


def content(raw: RawJob, provider: Provider, host: str = "") -> Content:
    """Return what a job puts into MLflow.

    Parameters
    ----------
    raw
        The job as served.
    host
        The endpoint's host, kept as a tag so that the job can be found again.
    """
    job = raw.job
    status = provider.status(job)
    created = seconds(job.get("created_at")) or 0.0
    points = merge(raw.events, raw.checkpoints, result_rows(raw), created)
    points += summaries(job, provider, points) if status in TERMINAL else []
    end = seconds(job.get("finished_at")) or max(
        (seconds(e.get("created_at")) or 0 for e in raw.events), default=0
    )
    end = end or created
    made = Content(
        str(job["id"]), experiment_name(raw, provider), str(job["id"]), int(created * 1000), status
    )
    made.end_ms = int(end * 1000) if status in TERMINAL else None
    made.params = params(job, provider)
    made.tags = tags(job, provider, host)
    if raw.missing:
        made.tags["job.missing"] = ", ".join(raw.missing)
    total = next((found for event in reversed(in_order(raw.events)) if (found := total_steps(event))), None)
    if total:
        made.tags["job.total_steps"] = str(total)
    made.points = points
    made.datasets = _datasets(raw)
    made.checkpoints = _checkpoints(raw)
    if status in TERMINAL:
        made.artifacts = artifacts(raw)
        if VALIDATION_EXAMPLES in made.artifacts:
            made.tags["job.validation_examples"] = VALIDATION_EXAMPLES
        made.tags["mlflow.note.content"] = story(
            job, status, provider.hyperparameters(job), points, raw.missing, warnings(raw.events)
        )
    return made


def warnings(events: list[dict[str, Any]]) -> list[str]:
    """Return what the provider warned of, each once, in order, free of quoted content."""
    said = (scrub(e.get("message")) for e in in_order(events) if str(e.get("level")).startswith("warn"))
    return list(dict.fromkeys(filter(None, said)))


def params(job: dict[str, Any], provider: Provider) -> dict[str, str]:
    """Return what is settled about a job: never "auto" or -1, since a param cannot change."""
    method = job.get("method") if isinstance(job.get("method"), dict) else {}
    found = {key: value for key, value in provider.hyperparameters(job).items() if resolved(value)}
    found |= {
        "model": job.get("model"),
        "provider": provider.name,
        "method": method.get("type") or "supervised",
        "seed": job.get("seed"),
        "training_file": job.get("training_file"),
        "validation_file": job.get("validation_file"),
    }
    return {key: _plain(value) for key, value in found.items() if resolved(value)}


def tags(job: dict[str, Any], provider: Provider, host: str = "") -> dict[str, str]:
    """Return what may still change about a job, and what finds it again."""
    error = job.get("error") if isinstance(job.get("error"), dict) else {}
    found = {
        "job.id": job["id"],
        "job.status": provider.status(job),
        "job.endpoint": host,
        "fine_tuned_model": job.get("fine_tuned_model"),
        "job.error": ": ".join(filter(None, (str(error.get("code") or ""), scrub(error.get("message"))))),
    }
    known = job.get("metadata") if isinstance(job.get("metadata"), dict) else {}
    found |= {key: value for key, value in known.items() if key.startswith("finetune_advisor.")}
    return {key: str(value) for key, value in found.items() if value}


def summaries(job: dict[str, Any], provider: Provider, points: list[Point]) -> list[Point]:
    """Return the figures that sum a finished job up, at its last step and end."""
    full = [p for p in points if p.key == "full_valid_loss" and p.value == p.value]
    best = min(full, key=lambda p: (p.value, p.step), default=None)
    last = max((p.step for p in points), default=0)
    created = seconds(job.get("created_at")) or 0.0
    at = int((seconds(job.get("finished_at")) or 0) * 1000) or max(
        (p.timestamp for p in points), default=int(created * 1000)
    )
    found: dict[str, float] = {}
    if best:
        found |= {"best_full_valid_loss": best.value, "best_step": float(best.step)}
    tokens = finite(job.get("trained_tokens"))
    if tokens is not None and tokens > 0:
        found["trained_tokens"] = float(tokens)
        cost = cost_usd(provider.name, str(job.get("model") or ""), tokens)
        if cost is not None:
            found["cost_usd"] = cost
    return [Point(key, last, value, at) for key, value in found.items()]


def parent_points(child: Content, number: int) -> list[Point]:
    """Return a finished job's summaries as its loop's run shows them: step = the job's number, time = the job's end."""
    at = child.end_ms or child.start_ms
    return [Point(p.key, number, p.value, at) for p in child.points if p.key in SUMMARIES]


def experiment_name(raw: RawJob, provider: Provider) -> str:
    """Return the experiment a job belongs to: as submitted, else its training file's stem, else the provider's heap."""
    metadata = raw.job.get("metadata") if isinstance(raw.job.get("metadata"), dict) else {}
    if metadata.get(EXPERIMENT_TAG):
        return str(metadata[EXPERIMENT_TAG])
    described = raw.files.get(str(raw.job.get("training_file"))) or {}
    stem = PurePath(str(described.get("filename") or "")).stem
    return _OUR_DIGEST.sub("", stem) or f"{provider.name} jobs"


def _datasets(raw: RawJob) -> list[dict[str, str]]:
    """Return the data files by name and digest; where we did not send them, the file's id stands for the digest."""
    found = []
    for context, field_name in (("training", "training_file"), ("validation", "validation_file")):
        file_id = raw.job.get(field_name)
        if not file_id:
            continue
        path = PurePath(str((raw.files.get(file_id) or {}).get("filename") or file_id))
        ours = _OUR_DIGEST.search(path.stem)
        digest = ours.group(1) if ours else str(file_id)[-DIGEST_CHARS:]
        name = _OUR_DIGEST.sub("", path.stem) + path.suffix
        found.append({"context": context, "name": name, "digest": digest, "source": str(file_id)})
    return found


def _checkpoints(raw: RawJob) -> list[dict[str, Any]]:
    found = []
    for checkpoint in in_order(raw.checkpoints):
        model = checkpoint.get("fine_tuned_model_checkpoint")
        step = finite(checkpoint.get("step_number"))
        if model and step is not None:
            found.append({"model": str(model), "step": int(step)})
    return found


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value)) if abs(value) >= 1 else str(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)
