"""`tracker data`, as typed."""

from __future__ import annotations

import json
import os

import pytest

from tracker.cli import main

ROWS = [{"prompt": f"SECRET {i}", "completion": f"answer {i}"} for i in range(20)]


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(path)


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(ROWS[0]) + '\n{"prompt": "SECRET"\n{"completion": "SECRET"}\n')
    return str(path)


def answer(capsys, *words):
    code = main(["data", *words])
    out, err = capsys.readouterr()
    assert "SECRET" not in out + err
    return code, out, err


def test_check(good, bad, capsys):
    code, out, err = answer(capsys, "check", good, bad)
    assert code == 1
    assert f"{good}: good; 20 completion examples" in out
    assert f"{bad}: 2 bad lines" in out
    assert "line 2: is no JSON" in err
    assert "line 3: has no key prompt" in err


def test_one_bad_line_is_one(good, capsys):
    with open(good, "a") as file:
        file.write("{\n")
    assert "1 bad line;" in answer(capsys, "check", good)[1]
    assert "1 bad line," in answer(capsys, "stats", good)[1]


@pytest.mark.parametrize("verb", ["check", "convert", "split", "stats"])
def test_long_work_tells_how_far_it_is(verb, good, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tracker.data.jsonl.TELL_BYTES", 100)
    monkeypatch.setattr("tracker.data.convert.PROGRESS_ROWS", 5)
    monkeypatch.setattr("tracker.commands.progress.QUIET_S", -1.0)
    more = {"convert": [str(tmp_path / "chat.jsonl")], "split": ["--out", str(tmp_path / "parts")]}
    code, _, err = answer(capsys, verb, good, *more.get(verb, []))
    passes = {"check": 1, "split": 3, "stats": 2}
    size = os.path.getsize(good)
    told = [line.split() for line in err.splitlines() if line.endswith(("bytes", "rows"))]
    assert code == 0
    if verb == "convert":
        assert told == [[str(n), "rows"] for n in (5, 10, 15, 20)]
    else:
        done = [int(words[0]) for words in told]
        assert done == sorted(done)
        assert {words[2] for words in told} == {str(passes[verb] * size)}
        assert passes[verb] * size - done[-1] < 200


def test_check_as_json(good, capsys):
    code, out, _ = answer(capsys, "check", good, "--json")
    [report] = json.loads(out)
    assert (code, report["ok"], report["n_examples"], report["kind"]) == (0, True, 20, "completion")


def test_convert_split_stats(good, tmp_path, capsys):
    chat = str(tmp_path / "chat.jsonl")
    assert answer(capsys, "convert", good, chat)[0] == 0
    code, out, _ = answer(capsys, "split", chat, "--test", "0.1", "--out", str(tmp_path), "--json")
    assert code == 0
    assert [(part["name"], part["n_examples"]) for part in json.loads(out)] == [
        ("train", 16),
        ("valid", 2),
        ("test", 2),
    ]
    code, out, _ = answer(capsys, "stats", str(tmp_path / "train.jsonl"))
    assert code == 0
    assert "16 chat examples" in out
    assert "user 16, assistant 16" in out


@pytest.mark.parametrize(
    "words", [("--valid", "1.5"), ("--valid", "0.6", "--test", "0.4"), ("--valid", "nan")]
)
def test_shares_that_cannot_be(good, tmp_path, capsys, words):
    code, _, err = answer(capsys, "split", good, "--out", str(tmp_path), *words)
    assert code == 2
    assert "expected more than 0" in err


def test_a_folder_that_is_not_there_is_made(good, tmp_path, capsys):
    assert answer(capsys, "split", good, "--out", str(tmp_path / "new" / "parts"))[0] == 0
    assert (tmp_path / "new" / "parts" / "train.jsonl").is_file()


@pytest.mark.parametrize("words", [("check",), ("stats",), ("split",)])
def test_a_missing_file(tmp_path, capsys, words):
    code, _, err = answer(capsys, *words, str(tmp_path / "gone.jsonl"))
    assert code == 2
    assert "cannot be read" in err
