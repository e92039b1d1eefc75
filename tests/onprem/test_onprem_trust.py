"""Keys, tenants, loopback, metrics, doctor and the command line."""

import json
import resource
import subprocess
import sys
import urllib.request

import openai
import pytest
from onprem_server import Server, chat_rows, run_job, upload

from onprem.cli import build, main


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


def test_doctor_reports(tmp_path, capsys):
    code = main(["doctor", "--json", "--data-dir", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert code == bool(report["problems"])
    assert report["disk_free_gb"] > 0
    assert report["torch"].startswith("2.")
    assert report["store"] == "ok"


def test_models_are_added_listed_and_removed(tmp_path, capsys):
    from onprem.registry import EMBEDDED

    here = ("--data-dir", tmp_path)
    command(capsys, "models", "add", "mine", EMBEDDED, *here)
    names = [row["name"] for row in json.loads(command(capsys, "models", "list", "--json", *here))]
    assert names == ["embedded-tiny", "mine"]
    command(capsys, "models", "remove", "mine", *here)
    assert main(["models", "remove", "mine", *map(str, here)]) == 2
    assert main(["models", "add", "../up", str(EMBEDDED), *map(str, here)]) == 2
    assert main(["models", "add", "none", str(tmp_path), *map(str, here)]) == 2
    assert main(["models", "remove", "embedded-tiny", *map(str, here)]) == 2


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../up", "a\\b", "", ".hidden", "x" * 65, "a:b"])
def test_a_bad_model_name_is_refused_before_anything_is_written(tmp_path, monkeypatch, capsys, name):
    from onprem import gguf

    monkeypatch.setattr(
        gguf, "convert", lambda *_: pytest.fail("converted under a name that was not checked")
    )
    monkeypatch.setattr("onprem.obtain._download", lambda *_: pytest.fail("downloaded"))
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    for source in (tmp_path / "x.gguf", "org/name"):
        assert main(["models", "add", name, str(source), "--data-dir", str(tmp_path / "data")]) == 2
        assert "cannot be a model's name" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_no_hub_name(tmp_path, capsys):
    assert main(["models", "add", "foo", "/none/such", "--data-dir", str(tmp_path)]) == 2
    assert "/none/such is not there" in capsys.readouterr().err


def test_a_model_that_live_jobs_need_is_neither_removed_nor_replaced(tmp_path, capsys):
    from test_onprem_queue import queue

    from onprem.registry import EMBEDDED
    from onprem.store import DataFolder, open_database

    here = ("--data-dir", tmp_path)
    command(capsys, "models", "add", "m", EMBEDDED, *here)
    db = open_database(DataFolder.at(tmp_path))
    queue(db, "ftjob-live")
    for action in (["add", "m", EMBEDDED], ["remove", "m"]):
        assert main(["models", *map(str, action), *map(str, here)]) == 2
        assert "needed by ftjob-live" in capsys.readouterr().err
    db.connection().execute("update jobs set status = 'cancelled'")
    command(capsys, "models", "remove", "m", *here)


COMMANDS = ("", "serve", "doctor", "models", "models add", "models remove", "models list", "keys", "keys add",
            "keys revoke", "keys forget", "keys list")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_the_command_line_takes(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    _, _, examples = capsys.readouterr().out.partition("example")
    lines = [line.split("#")[0].split() for line in examples.splitlines() if line.startswith("  onprem ")]
    assert lines, "an example"
    for line in lines:
        assert line[1 : 1 + len(command.split())] == command.split()
        build().parse_args(line[1:])


def test_help_answers_in_a_blink():
    """CPU seconds, which other processes do not change; the least of three, since a first run reads the disk."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "onprem", "models", "add", "--help"], capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.25  # 0.05 s measured


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
