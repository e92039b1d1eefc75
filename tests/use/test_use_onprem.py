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


SUBJECTS = [
    "the parcel",
    "my order",
    "the lamp",
    "this book",
    "a ticket",
    "the key",
    "our table",
    "the train",
]
ASKED = [f"Where is {subject}, please? ({i})" for i in range(10) for subject in SUBJECTS]


def split(folder):
    """Training, validation and test files in which every question has the same answer."""
    rows = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": "blue door"}]}
        for q in ASKED
    ]
    (folder / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["data", "split", str(folder / "all.jsonl"), "--test", "0.1", "--out", str(folder)]) == 0
    return [str(folder / f"{name}.jsonl") for name in ("train", "valid", "test")]


def test_a_task_learned_from_examples(server, store, tmp_path, capsys):
    """60 examples teach the smallest model the one answer, and the base cannot know it."""

    def told(*words):
        capsys.readouterr()
        assert main([*words, "--tracking-uri", store, "--json"]) == 0
        out = capsys.readouterr().out
        return json.loads(out.splitlines()[-1] if words[0] == "submit" else out)

    train, valid, test = split(tmp_path)
    knobs = ("--model", "embedded-tiny", "--epochs", "8", "--batch-size", "4")
    asking = ("--base-url", server, "--max-tokens", "8")
    job = told("submit", train, "--valid", valid, *knobs, "--experiment", "doors", "--base-url", server)
    result = told("eval", job["id"], test, *asking)
    assert (result["tuned"]["score"], result["base"]["score"]) == (1.0, 0.0)
    answers = told("chat", job["id"], "--message", ASKED[0], "--temperature", "0", *asking)
    assert answers[job["fine_tuned_model"]] == "blue door"
    assert list(answers) == [job["fine_tuned_model"], "embedded-tiny"]
    best = told("models")[0]
    assert (best["job"], best["base"]) == (job["id"], "embedded-tiny")
    assert told("promote", job["id"], "--name", "doors")["model"] == job["fine_tuned_model"]
