"""What `advisor recommend --jobs` reads besides our own JSON."""

import io
import json
import os
import re

import pytest

from advisor.cli import main


def test_recommend_reads_a_trainers_own_log_too(capsys, tmp_path):
    log = [{"step": 10 * n, "eval_loss": loss} for n, loss in enumerate((2.0, 1.5, 1.3, 1.6, 1.9), 1)]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": log, "num_train_epochs": 5, "train_batch_size": 8}))
    assert main(["recommend", "--jobs", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["label"] == "overfitting"
    table = tmp_path / "results.csv"
    table.write_text("step,train_loss,valid_loss\n1,2.0,2.1\n2,1.5,1.6\n3,1.2,1.3\n4,1.1,1.2\n")
    assert main(["recommend", "--jobs", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["label"] != "insufficient_data"


def test_a_trainers_log_as_a_list_is_no_list_of_jobs(capsys, tmp_path):
    path = tmp_path / "log.json"
    path.write_text(
        json.dumps([{"epoch": n, "loss": 2.0 - n / 10, "val_loss": 2.1 - n / 10} for n in range(1, 9)])
    )
    assert main(["recommend", "--jobs", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["diagnosis"]["label"] != "insufficient_data"
    assert answer["keep"]["step"] == 8, "epochs are counted as they are written"


def test_jobs_come_through_a_pipe_that_a_shell_names_as_a_file(capsys, tmp_path):
    read, write = os.pipe()
    os.write(write, b'[{"id": "a", "hyperparameters": {"n_epochs": 3}}]')
    os.close(write)
    assert main(["recommend", "--jobs", f"/dev/fd/{read}", "--json"]) == 0
    os.close(read)
    assert json.loads(capsys.readouterr().out)["proposal"]["hyperparameters"]


def test_standard_input_that_is_closed_or_no_text_is_refused_in_words(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert main(["recommend", "--jobs", "-"]) == 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe{}"), encoding="utf-8"))
    assert main(["recommend", "--jobs", "-"]) == 2
    closed, no_text = capsys.readouterr().err.splitlines()
    assert "closed" in closed
    assert "no UTF-8 text" in no_text


@pytest.mark.parametrize("body", ['{"job": []}', '{"log": 1}'])
def test_an_object_that_is_no_question_is_refused(capsys, tmp_path, monkeypatch, body):
    path = tmp_path / "what.json"
    path.write_text(body)
    assert main(["recommend", "--jobs", str(path)]) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(body))
    assert main(["recommend", "--jobs", "-"]) == 2
    assert "jobs" in capsys.readouterr().err


def test_which_file_of_a_folder_is_read_is_said_and_that_a_large_one_takes_its_time(
    capsys, tmp_path, monkeypatch
):
    log = [{"step": n, "loss": 2.0 - n / 10, "eval_loss": 2.1 - n / 10} for n in range(1, 6)]
    for name in ("checkpoint-4", "checkpoint-5"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    assert main(["diagnose", str(tmp_path)]) == 0
    assert f"of its files checkpoint-5{os.sep}trainer_state.json is read" in capsys.readouterr().err
    monkeypatch.setattr("tracker.readers.LARGE", 10)
    assert main(["diagnose", str(tmp_path / "checkpoint-4" / "trainer_state.json")]) == 0
    assert "this takes some seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "unit", "other"), [("epoch", "epoch", " step "), ("step", "step", " epoch ")]
)
def test_a_log_of_epochs_is_told_in_epochs(header, unit, other, capsys, tmp_path):
    path = tmp_path / "history.csv"
    rows = zip(range(6), (2.1, 1.6, 1.3, 1.0, 0.8, 0.6), (1.9, 1.55, 1.42, 1.45, 1.56, 1.71), strict=True)
    path.write_text(f"{header},loss,val_loss\n" + "".join("{},{},{}\n".format(*row) for row in rows))
    report = tmp_path / "report.html"
    assert main(["diagnose", str(path)]) == 0
    told = capsys.readouterr().out
    assert f"({unit} {3 if unit == 'epoch' else 2}) to 1.71" in told
    assert f" at {unit} " in told.split("Keep")[1]
    assert other not in told.split("What the curves show")[0], "the plot's axis"
    assert main(["report", str(path), "-o", str(report)]) == 0
    page = report.read_text()
    assert (">optimiser step<" in page) is (unit == "step")
    assert bool(re.search(r"\bsteps?\b", page + told)) is (unit == "step")


def test_recommend_takes_a_runs_folder_and_answers_a_trainer_in_its_own_words(capsys, tmp_path):
    log = [
        {"step": 10 * n, "epoch": n, "loss": 2.0 - n / 5, "learning_rate": 1e-4 * (1 - n / 5)}
        for n in range(1, 6)
    ]
    log += [
        {"step": 10 * n, "epoch": n, "eval_loss": loss} for n, loss in enumerate((2.0, 1.5, 1.3, 1.6, 1.9), 1)
    ]
    state = {"log_history": log, "num_train_epochs": 5, "max_steps": 50, "train_batch_size": 8}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    assert main(["recommend", "--jobs", str(tmp_path)]) == 0
    told = capsys.readouterr().out.split("Paste")[1]
    assert "TrainingArguments(num_train_epochs=" in told
    assert "tracker submit" not in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("table.txt", "Step\tTraining Loss\tValidation Loss\n10\t1.5\t1.6\n20\t1.2\t1.4\n30\t1.1\t1.3\n"),
        ("train.log", "".join(f"{{'loss': {2 - n / 10}, 'grad_norm': 1.0, 'epoch': {n}}}\n" for n in range(1, 6))),
        ("log", "".join(f'{{"current_steps": {n}, "loss": {2 - n / 10}}}\n' for n in range(1, 6))),
    ],
)  # fmt: skip
def test_recommend_reads_every_history_that_diagnose_reads(capsys, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert main(["diagnose", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["recommend", "--jobs", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"] == told["diagnosis"]


@pytest.mark.parametrize(
    ("text", "told"),
    [('[{"id": "a",]', "is no JSON: "), ("", "is empty"), ("words of mine", "is no training history")],
)
def test_what_is_neither_records_nor_a_history_is_told_as_what_it_seems_to_be(capsys, tmp_path, text, told):
    path = tmp_path / "jobs.txt"
    path.write_text(text)
    assert main(["recommend", "--jobs", str(path)]) == 2
    assert f"jobs.txt {told}" in capsys.readouterr().err
