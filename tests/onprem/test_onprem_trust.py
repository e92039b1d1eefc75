"""Keys, tenants, loopback, metrics, doctor and the command line."""

import json
import subprocess
import sys
import urllib.request

import openai
import pytest
from onprem_server import Server, chat_rows, run_job, upload

from onprem.cli import main


def command(capsys, *arguments) -> str:
    """Run the command line in this process; returns what it printed."""
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out.strip()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory):
    """A server with two tenants' keys, each with a tuned model."""
    data_dir = tmp_path_factory.mktemp("tenants")
    made = [
        subprocess.run(
            [sys.executable, "-m", "onprem", "keys", "add", name, "--tenant", tenant, "--data-dir", str(data_dir)],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for name, tenant in (("ann", "red"), ("bob", "blue"))
    ]  # fmt: skip
    server = Server(data_dir).start()
    yield server, data_dir, made
    server.stop()


def test_two_tenants_cannot_see_each_other(tenants):
    server, _, (red_key, blue_key) = tenants
    red, blue = server.client(red_key), server.client(blue_key)
    file_id = upload(red, chat_rows(8))
    job = run_job(red, file_id, hyperparameters={"n_epochs": 1, "batch_size": 8})
    assert job.fine_tuned_model.split(":")[2] == "red"
    assert job.organization_id == "red"
    assert not blue.files.list().data
    assert not blue.fine_tuning.jobs.list().data
    assert [m.id for m in blue.models.list()] == ["embedded-tiny"]
    chat = {"model": job.fine_tuned_model, "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    for look in (
        lambda: blue.files.retrieve(file_id),
        lambda: blue.files.content(job.result_files[0]),
        lambda: blue.files.delete(file_id),
        lambda: blue.fine_tuning.jobs.retrieve(job.id),
        lambda: blue.fine_tuning.jobs.list_events(job.id),
        lambda: blue.fine_tuning.jobs.checkpoints.list(job.id),
        lambda: blue.fine_tuning.jobs.cancel(job.id),
        lambda: blue.models.retrieve(job.fine_tuned_model),
        lambda: blue.models.delete(job.fine_tuned_model),
        lambda: blue.chat.completions.create(**chat),
    ):
        with pytest.raises(openai.NotFoundError):
            look()
    with pytest.raises(openai.BadRequestError) as refused:
        blue.fine_tuning.jobs.create(model=job.fine_tuned_model, training_file=file_id)
    assert "does not exist" in refused.value.body["message"]
    assert "no such File" in refused.value.body["message"]
    assert red.chat.completions.create(**chat).choices


@pytest.mark.parametrize("key", ["sk-wrong", " ", "é"])
def test_unknown_keys_are_refused(tenants, key):
    server, _, _ = tenants
    request = urllib.request.Request(f"{server.base_url}/models")
    request.add_header("Authorization", f"Bearer {key}".encode("latin-1").decode("latin-1"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401
    assert json.load(refused.value)["error"]["code"] == "invalid_api_key"


def test_keys_are_shown_once_hashed_at_rest_and_revoked_at_once(tenants, capsys):
    server, data_dir, _ = tenants
    key = command(capsys, "keys", "add", "eve", "--tenant", "green", "--data-dir", data_dir)
    assert server.client(key).models.list().data
    assert not any(key.encode() in path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    listed = json.loads(command(capsys, "keys", "list", "--json", "--data-dir", data_dir))
    (row,) = [row for row in listed if row["name"] == "eve"]
    command(capsys, "keys", "revoke", row["id"], "--data-dir", data_dir)
    with pytest.raises(openai.AuthenticationError):
        server.client(key).models.list()


def test_revoking_the_last_key_shuts_the_server_and_forgetting_opens_it(tmp_path, capsys):
    here = ("--data-dir", tmp_path)
    command(capsys, "keys", "add", "ann", *here)
    (row,) = json.loads(command(capsys, "keys", "list", "--json", *here))
    server = Server(tmp_path).start()
    try:
        assert main(["keys", "forget", *map(str, here)]) == 2, "a live key is not forgotten by mistake"
        command(capsys, "keys", "revoke", row["id"], *here)
        with pytest.raises(openai.AuthenticationError):
            server.client().files.list()
        command(capsys, "keys", "forget", *here)
        assert server.client().files.list().data == []
    finally:
        server.stop()


def test_user_text_is_in_no_log(tenants):
    server, data_dir, (red_key, _) = tenants
    client = server.client(red_key)
    rows = b'{"prompt": "tell zebra", "completion": " secret"}\n' * 4
    job = run_job(client, upload(client, rows), hyperparameters={"n_epochs": 1})
    client.completions.create(model=job.fine_tuned_model, prompt="tell zebra", max_tokens=2)
    logs = b"".join(path.read_bytes() for path in (data_dir / "logs").iterdir())
    assert job.id.encode() in logs
    assert b"zebra" not in logs


def test_other_addresses_need_keys(tmp_path, capsys):
    assert main(["serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", str(tmp_path)]) == 2
    assert "onprem keys add" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command_line", [["serve", "--port", "0"], ["doctor"], ["models", "list"], ["keys", "list"]]
)
def test_a_data_folder_that_cannot_be_made_is_told_in_one_line(tmp_path, capsys, command_line):
    (tmp_path / "file").write_text("x")
    for bad in ("/proc/x", tmp_path / "file"):
        assert main([*command_line, "--data-dir", str(bad)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"the data folder {bad} cannot be made" in line


def test_a_folder_is_served_once(server, capsys):
    assert main(["serve", "--port", "0", "--data-dir", str(server.data_dir)]) == 2
    assert "another server" in capsys.readouterr().err


def test_metrics_count_requests_and_jobs(server, client, finished):
    client.models.list()
    with urllib.request.urlopen(server.base_url.replace("/v1", "/metrics")) as answer:
        text = answer.read().decode()
    assert 'onprem_requests_total{method="GET",route="/v1/models",status="200"}' in text
    assert 'onprem_jobs{status="succeeded"}' in text
    tokens = float(
        next(line for line in text.splitlines() if line.startswith("onprem_trained_tokens ")).split()[1]
    )
    assert tokens >= finished.trained_tokens
    assert finished.fine_tuned_model not in text


def test_healthz(server):
    with urllib.request.urlopen(server.base_url.replace("/v1", "/healthz")) as answer:
        assert json.load(answer)["status"] == "ok"


def test_the_server_never_imports_torch():
    code = "import sys, onprem.server.serve; print(sorted({'torch', 'transformers', 'trl', 'datasets'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_idle_server_is_small(tmp_path):
    server = Server(tmp_path).start()
    try:
        server.client().models.list()
        with open(f"/proc/{server.process.pid}/status") as status:
            (line,) = [line for line in status if line.startswith("VmRSS")]
        assert int(line.split()[1]) / 1024 < 150  # MB
    finally:
        server.stop()
