"""From data to a promoted model on real parts: the server that ships with the project trains, answers and is scored."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tracker.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("trl", reason="the extra onprem")
    folder = tmp_path_factory.mktemp("onprem")
    words = [sys.executable, "-m", "onprem", "serve", "--port", "0", "--data-dir", str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    ready = next(line for line in process.stdout if "ready on" in line)
    yield ready.split("ready on ")[1].strip()
    process.terminate()
    process.wait(30)


def test_a_task_learned_from_examples(server, store, tmp_path, capsys):
    """Every question has the same answer: 60 examples teach the smallest model that, and the base cannot know it."""
    subjects = (
        "the parcel",
        "my order",
        "the lamp",
        "this book",
        "a ticket",
        "the key",
        "our table",
        "the train",
    )
    asked = [f"Where is {subject}, please? ({i})" for i in range(10) for subject in subjects]
    rows = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": "blue door"}]}
        for q in asked
    ]
    (tmp_path / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    end = ("--tracking-uri", store, "--json")
    assert main(["data", "split", str(tmp_path / "all.jsonl"), "--test", "0.1", "--out", str(tmp_path)]) == 0
    files = [str(tmp_path / f"{name}.jsonl") for name in ("train", "valid", "test")]
    capsys.readouterr()
    words = [
        "submit",
        files[0],
        "--valid",
        files[1],
        "--model",
        "embedded-tiny",
        "--epochs",
        "8",
        "--batch-size",
        "4",
    ]
    assert main([*words, "--experiment", "doors", "--base-url", server, *end]) == 0
    job = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert main(["eval", job["id"], files[2], "--base-url", server, "--max-tokens", "8", *end]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["tuned"]["score"], result["base"]["score"]) == (1.0, 0.0)
    assert (
        main(
            [
                "chat",
                job["id"],
                "--message",
                asked[0],
                "--temperature",
                "0",
                "--max-tokens",
                "8",
                "--base-url",
                server,
                *end,
            ]
        )
        == 0
    )
    answers = json.loads(capsys.readouterr().out)
    assert answers[job["fine_tuned_model"]] == "blue door"
    assert list(answers) == [job["fine_tuned_model"], "embedded-tiny"]
    assert main(["models", *end]) == 0
    best = json.loads(capsys.readouterr().out)[0]
    assert (best["job"], best["base"]) == (job["id"], "embedded-tiny")
    assert main(["promote", job["id"], "--name", "doors", *end]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == job["fine_tuned_model"]
