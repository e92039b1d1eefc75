"""The commands, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import openai
import pytest
from quirks import Quirks

from tracker import client
from tracker.cli import COMMANDS, main, parser
from tracker.errors import InputError
from tracker.providers import find


def test_submit_follows_to_the_end(serve, uri, train, valid, capsys, db):
    server = serve(steps=4, step_s=0.05)
    argv = [
        "submit",
        str(train),
        "--valid",
        str(valid),
        "--model",
        "m",
        "--epochs",
        "3",
        "--batch-size",
        "auto",
    ]
    assert main([*argv, "--base-url", server.url, "--tracking-uri", uri, "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert job["status"] == "succeeded"
    assert db("SELECT name FROM experiments WHERE name = 'train'") == [("train",)]
    assert ("requested.batch_size", "auto") in db("SELECT key, value FROM params")


def test_detached_then_watched(serve, uri, train, capsys, db):
    server = serve(steps=4, step_s=0.05)
    common = ["--base-url", server.url, "--tracking-uri", uri]
    assert main(["submit", str(train), "--model", "m", "--detach", "--json", *common]) == 0
    job_id = json.loads(capsys.readouterr().out)["id"]
    assert main(["watch", job_id, *common]) == 0
    assert main(["watch", "--all", *common]) == 0
    assert db("SELECT COUNT(*) FROM runs") == [(1,)]
    assert db("SELECT COUNT(*) FROM metrics WHERE key = 'train_loss'") == [(4,)]


def test_a_failed_job_is_exit_1(serve, uri, train, monkeypatch):
    server = serve(steps=2, step_s=0.02)
    add = server.add_job
    monkeypatch.setattr(server, "add_job", lambda **fields: add(end="failed", **fields))
    assert main(["submit", str(train), "--model", "m", "--base-url", server.url, "--tracking-uri", uri]) == 1


BAD_USAGE = {
    "no such file": ["submit", "nowhere.jsonl", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"],
    "nothing to watch": ["watch", "--base-url", "http://127.0.0.1:9/v1"],
    "an unknown provider": ["watch", "--all", "--provider", "nobody"],
    "no key": ["watch", "--all", "--provider", "openai"],
    "no address": ["watch", "--all", "--provider", "azure"],
    "no address at all": ["watch", "--all", "--base-url", "nonsense"],
    "no store's address": ["ui", "--link", "--tracking-uri", "foo://x"],
    "an empty store": ["ui", "--link"],
    "a name nobody has": ["ui", "nobody", "--link"],
    "a broken pair": [
        "submit",
        "x.jsonl",
        "--model",
        "m",
        "--set",
        "lora",
        "--base-url",
        "http://127.0.0.1:9/v1",
    ],
}


@pytest.mark.parametrize("name", BAD_USAGE)
def test_wrong_usage_is_exit_2_and_says_what_to_do(name, uri, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert main(BAD_USAGE[name]) == 2
    assert len(capsys.readouterr().err) > 30


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--epochs", "1.5"], "whole number"),
        (["--epochs", "51"], "1 to 50"),
        (["--batch-size", "257"], "1 to 256"),
        (["--learning-rate-multiplier", "0"], "more than 0"),
        (["--base-url", "nonsense"], "no address"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(
    more, told, serve, uri, train, capsys, tmp_path
):
    server = serve()
    argv = ["submit", str(train), "--model", "m", "--base-url", server.url, "--tracking-uri", uri]
    assert main([*argv, *more]) == 2
    assert told in capsys.readouterr().err
    assert server.requests == []
    assert not (tmp_path / "mlruns/mlflow.db").exists()


def test_what_the_server_takes_is_more_than_where_the_search_looks():
    onprem = find("onprem")
    assert onprem.problems({"n_epochs": 50, "batch_size": 256, "learning_rate_multiplier": 1e6}) == []
    assert onprem.space()["n_epochs"] == {"min": 1, "max": 12}


@pytest.mark.parametrize("status", [400, 404])
def test_what_the_provider_refuses_of_the_users_is_exit_2_and_names_the_field(
    status, serve, uri, train, capsys
):
    server = serve(Quirks(storms=[("POST /fine_tuning/jobs$", status, None)]))
    argv = ["submit", str(train), "--model", "m", "--base-url", server.url, "--tracking-uri", uri]
    assert main(argv) == 2
    assert main(["watch", "ftjob-nope", "--base-url", server.url, "--tracking-uri", uri]) == 2


def test_the_field_that_is_refused_is_named():
    answer = httpx.Response(400, request=httpx.Request("POST", "http://h/v1/fine_tuning/jobs"))
    error = openai.BadRequestError("no", response=answer, body={"message": "Too small", "param": "n_epochs"})
    assert "n_epochs: Too small" in str(client._translated(error))


def test_watching_tells_the_run(serve, uri, db, capsys):
    server = serve()
    argv = ["watch", server.add_job(steps=2, step_s=0.02), "--json"]
    assert main([*argv, "--base-url", server.url, "--tracking-uri", uri]) == 0
    assert db("SELECT run_uuid FROM runs") == [(json.loads(capsys.readouterr().out)["run_id"],)]


def test_a_port_in_use_is_said_before_a_link_is_given(serve, uri, train, capsys):
    server = serve(steps=2, step_s=0.02)
    port = server.url.split(":")[2].split("/")[0]
    assert main(["ui", "--port", port, "--tracking-uri", uri]) == 2
    told = capsys.readouterr()
    assert (told.out, f"Port {port}" in told.err, "in use" in told.err) == ("", True, True)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_watching_a_job_that_does_not_succeed_is_exit_1(end, serve, uri):
    server = serve()
    argv = ["watch", server.add_job(steps=2, end=end, created_at=1_760_000_000)]
    assert main([*argv, "--base-url", server.url, "--tracking-uri", uri]) == 1


def test_nothing_to_follow_is_said(serve, uri, capsys):
    server = serve()
    assert main(["watch", "--all", "--base-url", server.url, "--tracking-uri", uri]) == 0
    assert f"No job runs at {server.url}" in capsys.readouterr().err


def test_a_retired_model_is_refused_by_date(train, uri, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    argv = ["submit", str(train), "--model", "gpt-3.5-turbo-0125", "--tracking-uri", uri]
    assert main(argv) == 2
    assert "2026-10-23" in capsys.readouterr().err


def test_the_endpoint_and_key_come_from_a_dotenv_file(serve, uri, train, tmp_path, monkeypatch):
    server = serve(steps=2, step_s=0.02)
    (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={server.url}\nOPENAI_API_KEY=from-the-file\n")
    # What load_dotenv sets stays in the process: have monkeypatch put it back.
    monkeypatch.setenv("OPENAI_BASE_URL", "x")
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert main(["submit", str(train), "--model", "m", "--tracking-uri", uri]) == 0
    assert server.posts == 1


def test_no_key_reaches_the_store_or_the_terminal(serve, uri, train, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key-0123456789")
    server = serve(steps=2, step_s=0.02)
    assert main(["submit", str(train), "--model", "m", "--base-url", server.url, "--tracking-uri", uri]) == 0
    told = capsys.readouterr()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "mlruns").rglob("*") if path.is_file())
    assert b"very-secret" not in kept
    assert b"question train" not in kept
    assert "very-secret" not in told.out + told.err


@pytest.mark.parametrize("argv", ["{}", "watch --{}", "ui --port {}", "data {}", "models {}"])
def test_a_key_in_the_wrong_place_is_not_repeated(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        main(argv.format("sk-very-secret-key-0123456789").split())
    told = capsys.readouterr()
    assert caught.value.code == 2
    assert "very-secret" not in told.out + told.err
    assert "[secret]" in told.err


def test_every_command_has_help_with_an_example(capsys):
    for name in [name.rstrip("_") for name in COMMANDS]:
        with pytest.raises(SystemExit) as caught:
            parser().parse_args([name, "--help"])
        assert caught.value.code == 0
        assert f"tracker {name}" in capsys.readouterr().out.split("\n\n", 1)[1]


def test_help_imports_nothing_heavy():
    code = "import sys; from tracker.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"mlflow", "openai", "pandas", "numpy", "rich", "asyncio", "sqlite3"} & set(loaded)


def test_help_answers_in_a_blink():
    times = []
    for _ in range(5):
        begun = os.times()
        subprocess.run([sys.executable, "-m", "tracker.cli", "--help"], capture_output=True, check=True)
        ended = os.times()
        times.append(
            ended.children_user + ended.children_system - begun.children_user - begun.children_system
        )
    assert min(times) < 0.25  # seconds of computing, so that a busy machine does not decide


def test_a_file_is_checked_once_for_estimate_and_submission(train, monkeypatch):
    from tracker import data
    from tracker.upload import check

    checked = []
    real = data.check_file
    monkeypatch.setattr(data, "check_file", lambda path: checked.append(path) or real(path))
    first = check([train])
    assert check([train]) == first
    assert checked == [train]
    with train.open("a") as file:  # a file that has changed is checked again
        file.write('{"messages": []}\n')
    with pytest.raises(InputError):
        check([train])
    assert len(checked) == 2
