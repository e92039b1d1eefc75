"""What the command `advisor` says of data files: asked for by name, or beside the job that was trained on them."""

import json
import re
import shlex
from hashlib import sha256

import pytest
from tell_jobs import record

from advisor.cli import main
from tracker.cli import main as tracker


def run(capsys, *argv):
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def trained_on(tmp_path):
    """Writes a training file whose second row repeats the first, and a job that names it with a digest."""

    def write(digest=None, rows=('{"prompt": "question", "completion": "answer"}',) * 2, name="train.jsonl"):
        data = tmp_path / name
        data.write_text("\n".join(rows))
        file = {"path": str(data), "sha256": digest or sha256(data.read_bytes()).hexdigest()}
        (tmp_path / "jobs.json").write_text(json.dumps([record(1, train_file=file)]))
        return str(tmp_path / "jobs.json")

    return write


def test_data_shows_text_only_when_asked(capsys, tmp_path):
    rows = [{"prompt": "secret question", "completion": "secret answer"}] * 3
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows) + '\n{"prompt": 1}\nnot json\n')
    code, quiet, _ = run(capsys, "data", str(path))
    assert code == 1, "two rows cannot be trained on"
    assert "FT501" in quiet
    assert "line 4" in quiet
    assert "line 5" in quiet
    assert "secret" not in quiet
    _, shown, _ = run(capsys, "data", str(path), "--show-text")
    assert "secret question" in shown
    _, answer, _ = run(capsys, "data", str(path), "--json")
    assert "secret" not in answer
    assert json.loads(answer)["n_train"] == 5


def test_rows_that_can_all_be_trained_on_end_with_0_whatever_else_is_found(capsys, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 3)
    code, out, _ = run(capsys, "data", str(path))
    assert code == 0
    assert "FT502" in out


def test_the_newest_jobs_data_are_looked_at_where_they_are_still_there(capsys, tmp_path):
    rows = [json.dumps({"prompt": f"question {i}", "completion": f"answer {i}"}) for i in range(30)]
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    (tmp_path / "valid.jsonl").write_text(rows[3])
    losses = [
        json.dumps({"line": i, "loss": 9.0 if i == 5 else 1.0 + i / 100, "tokens": 4}) for i in range(1, 13)
    ]
    (tmp_path / "losses.jsonl").write_text("\n".join(losses))
    names = {"train_file": "train.jsonl", "valid_file": "valid.jsonl", "validation_examples": "losses.jsonl"}
    job = record(1, **{key: {"path": str(tmp_path / name)} for key, name in names.items()})
    (tmp_path / "jobs.json").write_text(json.dumps([job]))
    code, out, _ = run(capsys, "recommend", "--jobs", str(tmp_path / "jobs.json"))
    assert code == 0
    assert "FT504" in out.split("What the data show")[1]
    assert "the loss: line 5" in " ".join(out.split())
    assert (
        "1 validation row\n" in run(capsys, "data", job["train_file"]["path"], job["valid_file"]["path"])[1]
    )
    _, answer, _ = run(capsys, "recommend", "--jobs", str(tmp_path / "jobs.json"), "--json")
    assert {f["rule"] for f in json.loads(answer)["data"] if f["verdict"] == "fires"} >= {"FT504", "FT509"}


def test_a_file_is_looked_at_only_while_it_is_what_the_job_was_trained_on(capsys, trained_on):
    code, out, err = run(capsys, "recommend", "--jobs", trained_on())
    assert (code, err) == (0, "")
    assert "FT502" in out
    code, out, err = run(capsys, "recommend", "--jobs", trained_on(digest="0" * 64))
    assert code == 0
    assert "FT502" not in out
    assert "train.jsonl has changed" in err


def test_an_empty_file_is_refused(capsys, tmp_path):
    (tmp_path / "train.jsonl").write_text("")
    code, out, err = run(capsys, "data", str(tmp_path / "train.jsonl"))
    assert (code, out) == (2, "")
    assert "train.jsonl is empty" in err


@pytest.mark.parametrize("valid", ["/dev/null", "valid.jsonl"])
def test_so_is_an_empty_validation_file(capsys, tmp_path, valid):
    (tmp_path / "train.jsonl").write_text('{"prompt": "a", "completion": "b"}\n' * 3)
    (tmp_path / "valid.jsonl").write_text("")
    code, out, err = run(capsys, "data", str(tmp_path / "train.jsonl"), str(tmp_path / valid))
    assert (code, out) == (2, "")
    assert f"{valid} is empty" in err


@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_list_is_told_with_the_command_that_converts_it(capsys, tmp_path, monkeypatch, indent):
    monkeypatch.chdir(tmp_path)
    rows = [{"instruction": f"ask {n}", "input": "", "output": "say"} for n in range(3)]
    (tmp_path / "al paca.json").write_text(json.dumps(rows, indent=indent))
    code, out, err = run(capsys, "data", "al paca.json")
    assert (code, out) == (2, "")
    command = re.search(r"tracker data convert '.*' '.*?'", err)[0]
    assert tracker(shlex.split(command)[1:]) == 0
    assert "FT501" in run(capsys, "data", "al paca.jsonl")[1].partition("clear")[2]


def test_a_line_that_is_a_list_is_told_as_a_line(capsys, tmp_path):
    (tmp_path / "train.jsonl").write_text('[]\n{"prompt": "a", "completion": "b"}\n')
    code, out, _ = run(capsys, "data", str(tmp_path / "train.jsonl"))
    assert (code, "training line 1: is a JSON list" in " ".join(out.split())) == (1, True)


def test_data_that_cannot_be_looked_at_cost_no_advice(capsys, trained_on, tmp_path):
    trained_on()
    jobs = json.loads((tmp_path / "jobs.json").read_text())
    (tmp_path / "losses.jsonl").write_text('{"line": "x"}')
    jobs[0]["validation_examples"] = {"path": str(tmp_path / "losses.jsonl")}
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    code, out, err = run(capsys, "recommend", "--jobs", str(tmp_path / "jobs.json"))
    assert code == 0
    assert "Next" in out
    assert "losses.jsonl line 1" in err


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_of_losses_without_any_is_wrong_input(capsys, tmp_path, content):
    train, losses = tmp_path / "train.jsonl", tmp_path / "losses.jsonl"
    train.write_text('{"prompt": "question", "completion": "answer"}')
    losses.write_text(content)
    code, _, err = run(capsys, "data", str(train), "--losses", str(losses))
    assert code == 2
    assert "losses.jsonl is empty" in err
