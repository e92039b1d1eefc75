"""The commands, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tracker.cli import COMMANDS, main, parser


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
