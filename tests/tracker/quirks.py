"""A provider to test against: real HTTP, OpenAI's files and fine_tuning routes, and every oddity seen in the wild.

Jobs run by the clock: a job carries a plan of events with the second at which each becomes visible.
"""

from __future__ import annotations

import base64
import itertools
import random
import threading
import time
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from quirk_routes import QuirkRoutes


@dataclass
class Quirks:
    """What is odd about the provider. Storms and cuts name requests as ``"POST /fine_tuning/jobs$"`` patterns."""

    storms: list[tuple[str, int, float | None]] = field(
        default_factory=list
    )  # (pattern, status, Retry-After), one each
    cut_before: list[str] = field(
        default_factory=list
    )  # the request is not carried out, the connection is cut
    cut_after: list[str] = field(default_factory=list)  # the request is carried out, the answer is lost
    fail_after: list[str] = field(default_factory=list)  # the request is carried out, the answer is a 500
    missing: tuple[str, ...] = ()  # patterns that answer 404
    duplicate_pages: bool = False  # each page repeats the last two items of the one before
    shuffle_pages: bool = False  # items of a page in any order
    no_has_more: bool = False
    ignore_after: bool = False
    placeholder: object = None  # in place of unresolved hyperparameters
    statuses: dict[str, str] = field(default_factory=dict)  # ours -> served
    csv_base64: bool = False
    azure_csv: bool = False
    steps_in_message_only: bool = False
    keeps_metadata: bool = True
    filters_metadata: bool = True


@dataclass
class Served:
    """A job of the provider: its fields, its plan of events, and how it ends."""

    job: dict
    plan: list[tuple[float, dict]] = field(default_factory=list)
    begun: float = field(default_factory=time.time)
    end_after: float = 0.0
    end: str = "succeeded"
    resolved: dict = field(default_factory=dict)
    checkpoints: list[dict] = field(default_factory=list)


class QuirkServer:
    """The provider. ``url`` is its base address; ``posts`` counts the creates that were carried out."""

    def __init__(self, quirks: Quirks | None = None, steps: int = 6, step_s: float = 0.05, seed: int = 0):
        self.quirks = quirks or Quirks()
        self.steps, self.step_s = steps, step_s
        self.jobs: dict[str, Served] = {}
        self.files: dict[str, tuple[dict, bytes]] = {}
        self.requests: list[str] = []
        self.lock = threading.RLock()
        self._ids = itertools.count(1)
        self._random = random.Random(seed)
        server = self

        class Handler(QuirkRoutes):
            quirky = server

        self._handler = Handler
        self._port = 0
        self.listen_again()
        self.url = f"http://127.0.0.1:{self._port}/v1"

    def listen_again(self) -> None:
        """Listen, on the same port as before if there was one."""
        self.dead = False
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        self._http.daemon_threads = True
        self._port = self._http.server_port
        serve = self._http.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop_listening(self) -> None:
        """Refuse connections, and cut those there are at their next request, as a killed process does."""
        self.dead = True
        self._http.shutdown()
        self._http.server_close()

    def close(self) -> None:
        self.stop_listening()

    def __enter__(self) -> QuirkServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def posts(self) -> int:
        return sum(1 for r in self.requests if r == "POST /fine_tuning/jobs carried out")

    def add_file(self, data: bytes, filename: str, purpose: str = "fine-tune") -> str:
        with self.lock:
            file_id = f"file-{next(self._ids)}"
            described = {"id": file_id, "object": "file", "bytes": len(data), "created_at": int(time.time()),
                         "filename": filename, "purpose": purpose, "status": "processed"}  # fmt: skip
            self.files[file_id] = (described, data)
            return file_id

    def add_job(self, steps: int | None = None, created_at: int | None = None, end: str = "succeeded",
                step_s: float | None = None, **fields: object) -> str:  # fmt: skip
        """Add a job that begins now; with ``created_at`` in the past it has long ended."""
        with self.lock:
            number = next(self._ids)
            steps = self.steps if steps is None else steps
            step_s = self.step_s if step_s is None else step_s
            created = created_at or int(time.time())
            job = {"id": f"ftjob-{number}", "object": "fine_tuning.job", "created_at": created, "model": "gpt-4o-mini",
                   "training_file": None, "validation_file": None, "seed": 1, "result_files": [], "error": None,
                   "fine_tuned_model": None, "finished_at": None, "trained_tokens": None, "metadata": None,
                   "hyperparameters": {}, **fields}  # fmt: skip
            served = Served(
                job, begun=created if created_at else time.time(), end_after=steps * step_s + 0.05, end=end
            )
            served.resolved = {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.8}
            served.plan = [
                (k * step_s, _event(number, k, steps, created + int(k * step_s))) for k in range(steps + 1)
            ]
            self.jobs[str(job["id"])] = served
            return str(job["id"])

    def view(self, served: Served) -> dict:
        """The job as it is served now."""
        job, quirks = dict(served.job), self.quirks
        age = time.time() - served.begun
        status = "running" if age < served.end_after else served.end
        if job.get("cancelled"):
            status = "cancelled"
        asked = {
            **(job.get("method") or {}).get("supervised", {}).get("hyperparameters", {}),
            **job["hyperparameters"],
        }
        known = {
            k: (v if (v := asked.get(k)) not in (None, "auto") else r) for k, r in served.resolved.items()
        }
        if "learning_rate" in asked:  # a provider of absolute rates knows no multiplier
            del known["learning_rate_multiplier"]
        unresolved = dict.fromkeys(known, quirks.placeholder) if quirks.placeholder is not None else known
        if age < 0.1 and status == "running":
            status, known = "queued", unresolved
        job["hyperparameters"] = known
        job["status"] = quirks.statuses.get(status, status)
        if status == "succeeded":
            self._finish(served)
            job |= {
                "fine_tuned_model": f"ft:{job['model']}:{job['id']}",
                "trained_tokens": 1000,
                **served.job_end,
            }
        if status == "failed":
            job["error"] = {
                "code": "bad",
                "message": "Line 3 of the file: 'my very private diary entry' is bad",
                "param": None,
            }
        return {k: v for k, v in job.items() if k != "cancelled"}

    def _finish(self, served: Served) -> None:
        if served.checkpoints:
            return
        at = int(served.begun + served.end_after)
        rows = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
        told = [event["data"] for _, event in served.plan if "train_loss" in (event["data"] or {})]
        for data in told:
            rows.append(f"{data['step']},{data['train_loss']},{data['train_mean_token_accuracy']},,")
        csv = "\n".join(rows).encode() + b"\n"
        file_id = self.add_file(
            base64.b64encode(csv) if self.quirks.csv_base64 else csv, "r.csv", "fine-tune-results"
        )
        served.job_end = {"finished_at": at, "result_files": [file_id]}
        last = told[-1]
        number = served.job["id"].split("-")[1]
        metrics = {
            k: last[k]
            for k in ("train_loss", "full_valid_loss", "full_valid_mean_token_accuracy")
            if k in last
        }
        served.checkpoints = [{"id": f"ckpt-{number}", "created_at": at, "step_number": last["step"],
                               "fine_tuned_model_checkpoint": f"ft:ckpt-{number}", "metrics": metrics}]  # fmt: skip

    def events(self, served: Served) -> list[dict]:
        age = time.time() - served.begun
        shown = [event for at, event in served.plan if at <= age]
        number = served.job["id"].split("-")[1]
        if age >= served.end_after:
            shown.append({"id": f"ev-{number}-end", "created_at": int(served.begun + served.end_after), "type": "message",
                          "level": "info", "message": "The job has ended", "data": {}})  # fmt: skip
        if self.quirks.steps_in_message_only:
            shown = [{**e, "data": None} for e in shown]
        return shown[::-1]

    def page(self, items: list[dict], query: dict[str, str]) -> dict:
        limit = min(int(query.get("limit", 20)), 100)
        after = None if self.quirks.ignore_after else query.get("after")
        at = next((n + 1 for n, item in enumerate(items) if item["id"] == after), 0) if after else 0
        begin = max(0, at - 2) if self.quirks.duplicate_pages and after else at
        shown = items[begin : at + limit]
        last = shown[-1:]
        if self.quirks.shuffle_pages and len(shown) > 2:
            head = shown[:-1]
            self._random.shuffle(head)
            shown = head + last  # the cursor, the last id, stays true
        body = {"object": "list", "data": shown, "has_more": at + limit < len(items)}
        if self.quirks.no_has_more:
            del body["has_more"]
        return body


def _event(number: int, k: int, steps: int, created: int) -> dict:
    loss = round(2.0 / (1 + k) + 0.5, 6)
    data: dict[str, object] = {
        "step": k,
        "total_steps": steps,
        "train_loss": loss,
        "train_mean_token_accuracy": 0.5,
    }
    if k == 0:
        data = {"step": 0, "total_steps": steps, "full_valid_loss": 3.0}
    elif k == steps:
        data |= {"full_valid_loss": loss + 0.1, "full_valid_mean_token_accuracy": 0.4}
    elif k % 3 == 0:
        data |= {"valid_loss": loss + 0.2, "valid_mean_token_accuracy": 0.4}
    message = f"Step {k}/{steps}: training loss={loss:.2f}"
    return {"id": f"ev-{number}-{k}", "object": "fine_tuning.job.event", "created_at": created, "level": "info",
            "type": "metrics", "message": message, "data": data}  # fmt: skip
