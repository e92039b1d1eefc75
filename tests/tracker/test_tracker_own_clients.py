"""Providers met through clients of their own: the real client over real HTTP, skipped where it is not installed."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tracker.errors import TrackerError
from tracker.providers import find
from tracker.session import Session

TOGETHER_JOB = {
    "id": "ft-1", "status": "completed", "user_id": "u", "created_at": "2026-10-01T10:00:00Z", "updated_at": "2026-10-01T11:00:00Z",
    "model": "meta/llama", "n_epochs": 3, "batch_size": 8, "learning_rate": 2e-5, "training_file": "file-1", "validation_file": "",
    "random_seed": 7, "token_count": 5000, "model_output_name": "me/llama-tuned",
}  # fmt: skip
TOGETHER = {
    "/v1/fine-tunes": {"data": [TOGETHER_JOB]},
    "/v1/fine-tunes/ft-1": TOGETHER_JOB,
    "/v1/fine-tunes/ft-1/events": {"data": [{"created_at": "2026-10-01T10:00:00Z", "message": "go", "object": "fine-tune-event",
                                             "type": "training_start", "total_steps": 3}]},
    "/v1/fine-tunes/ft-1/metrics": {"metrics": [
        *({"train/global_step": k, "train/loss": 3.0 / k, "timestamp": 1759312800 + k} for k in (1, 2, 3)),
        {"train/global_step": 3, "eval/loss": 1.5, "timestamp": 1759312810},
    ]},
    "/v1/fine-tunes/ft-1/checkpoints": {"data": [{"checkpoint_type": "final", "created_at": "2026-10-01T11:00:00Z", "path": "p", "step": 3}]},
    "/v1/fine-tunes/models/limits": {
        "max_num_epochs": 20, "max_num_evals": 9, "max_learning_rate": 1.0, "min_learning_rate": 1e-9, "model_name": "llama",
        "supports_vision": False, "supports_tools": True, "supports_reasoning": False, "merge_output_lora": False,
        "lora_training": {"max_batch_size": 128, "max_batch_size_dpo": 8, "min_batch_size": 1, "max_rank": 64, "target_modules": ["q"]},
    },
    "/v1/fine-tunes/estimate-price": {"estimated_total_price": 1.0, "allowed_to_proceed": True, "user_limit": 9.0,
                                      "estimated_train_token_count": 10, "estimated_eval_token_count": 0},
    "/v1/files/file-1": {"id": "file-1", "filename": "set.jsonl", "bytes": 3, "object": "file"},
}  # fmt: skip

FIREWORKS_JOB = {
    "name": "accounts/me/supervisedFineTuningJobs/ft-1", "state": "JOB_STATE_COMPLETED", "createTime": "2026-10-01T10:00:00Z",
    "completedTime": "2026-10-01T11:00:00Z", "baseModel": "llama", "dataset": "accounts/me/datasets/set", "epochs": 3,
    "batchSizeSamples": 8, "learningRate": 2e-5, "outputModel": "accounts/me/models/tuned", "status": {"code": "OK"},
}  # fmt: skip
FIREWORKS = {
    "/v1/accounts/me/supervisedFineTuningJobs": {"supervisedFineTuningJobs": [FIREWORKS_JOB]},
    "/v1/accounts/me/supervisedFineTuningJobs/ft-1": FIREWORKS_JOB,
    "/v1/accounts/me/datasets/set": {"name": "accounts/me/datasets/set", "displayName": "set.jsonl"},
    "/metrics": "\n".join(json.dumps(row) for row in (
        *({"step": k, "train/loss": 3.0 / k} for k in (1, 2, 3)), {"step": 3, "eval/loss": 1.5})),
}  # fmt: skip


@pytest.fixture
def service():
    """Serves fixed answers by path; an answer that is text goes as it is."""
    servers = []

    def start(answers: dict) -> tuple[str, list]:
        asked: list[tuple[str, str, dict]] = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                path = self.path.split("?")[0]
                asked.append((self.command, path, json.loads(sent if sent.startswith(b"{") else b"{}")))
                found = answers.get(path)
                status, answer = found if isinstance(found, tuple) else (200 if found else 404, found)
                body = (
                    answer
                    if isinstance(answer, str)
                    else json.dumps(answer or {"error": {"message": "none"}})
                ).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def session_on(url: str, name: str, uri: str):
    return Session(url, "k", name, uri)


@pytest.mark.parametrize("name", ["together", "fireworks"])
def test_a_job_arrives_whole_and_once(name, service, uri, monkeypatch):
    pytest.importorskip(name, reason=f"the optional extra {name} is not installed")
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "me")
    answers = dict(TOGETHER if name == "together" else FIREWORKS)
    url, _ = service(answers)
    if name == "fireworks":
        answers["/v1/accounts/me/supervisedFineTuningJobs/ft-1"] = {
            **FIREWORKS_JOB,
            "metricsFileSignedUrl": url + "/metrics",
        }
    with session_on(url, name, uri) as session:
        for _ in range(2):
            job = session.watch("ft-1")
            session.follow([job])
        (record,) = session.records(job_run(uri))
    assert job.status == "succeeded"
    assert record["train_loss"] == [[1, 3.0], [2, 1.5], [3, 1.0]]
    assert record["full_valid_loss"] == [[3, 1.5]]
    assert record["hyperparameters"] == {"n_epochs": 3, "batch_size": 8, "learning_rate": 2e-5}
    assert record["experiment"] == "set"


def job_run(uri: str) -> str:
    from tracker.runs import reader

    (row,) = reader(uri).runs(tag=("job.id", None))
    return row.run_id


@pytest.mark.parametrize("name", ["together", "fireworks"])
def test_a_request_goes_out_under_the_providers_names(name, service, uri, monkeypatch):
    pytest.importorskip(name, reason=f"the optional extra {name} is not installed")
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "me")
    url, asked = service(dict(TOGETHER if name == "together" else FIREWORKS))
    knobs = {
        "n_epochs": 2,
        "batch_size": 8,
        "learning_rate": 1e-4,
        "lora_r" if name == "together" else "lora_rank": 4,
    }
    with session_on(url, name, uri) as session:
        metadata = {"finetune_advisor.job": "Loop_1"}
        request = find(name).request(
            model="llama", training_file="f", hyperparameters=knobs, seed=7, metadata=metadata
        )
        session.wait(session.endpoint.create(request))
    (body,) = [
        body
        for method, path, body in asked
        if method == "POST" and path.endswith(("/fine-tunes", "/supervisedFineTuningJobs"))
    ]
    if name == "together":
        expected = {"n_epochs": 2, "batch_size": 8, "learning_rate": 1e-4, "lora_r": 4, "random_seed": 7}
        found = {**body, **(body.get("training_type") or {})}
        assert {key: found.get(key) for key in expected} == expected
    else:
        assert (body["epochs"], body["batchSizeSamples"], body["learningRate"], body["loraRank"]) == (
            2,
            8,
            1e-4,
            4,
        )


KEY = "tgp_v1_verysecretkey1234567890"


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("name", ["together", "fireworks"])
@pytest.mark.parametrize("trouble", ["refused by the service", "nobody listens", "file is gone"])
def test_an_upload_that_fails_is_told_in_our_words_without_the_key(
    name, trouble, service, uri, train, monkeypatch
):
    pytest.importorskip(name, reason=f"the optional extra {name} is not installed")
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "me")
    paths = {"together": "/v1/files", "fireworks": "/v1/accounts/me/datasets"}
    refusal = {
        paths[name]: (403, {"error": {"message": f"Key {KEY} may not send 'my secret diary, page one'."}})
    }
    url = closed_port() if trouble == "nobody listens" else service(refusal)[0]
    if trouble == "file is gone":
        train.unlink()
    with Session(url, KEY, name, uri) as session, pytest.raises((TrackerError, FileNotFoundError)) as raised:
        session.wait(session.endpoint.upload(train, "train-0123456789ab.jsonl"))
    assert KEY not in str(raised.value)
    assert "diary" not in str(raised.value)
    if trouble == "refused by the service":
        assert raised.value.status == 403
        assert "answered 403" in str(raised.value)
    if trouble == "nobody listens":
        assert (raised.value.sent, raised.value.passing) == (False, True)


@pytest.mark.parametrize("name", ["together", "fireworks"])
def test_without_the_extra_the_user_is_told_what_to_install(name, monkeypatch):
    import sys

    from tracker.errors import InputError
    from tracker.providers import open_endpoint
    from tracker.settings import Settings

    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"finetune-advisor\[{name}\]"):
        open_endpoint(Settings("http://127.0.0.1:9/v1", "k", name, "sqlite:///x"))
