"""Each format, read from a realistic file: what becomes of it in the job record."""

from __future__ import annotations

import json
import math

import history_files as files
import pytest
from history_files import AZURE_ROWS, losses, write

import tracker
from tracker.readers import ReadError, read
from tracker.readers.openai_csv import parse_series
from tracker.readers.source import NotThisFormat


class TestOpenAICsv:
    @pytest.mark.parametrize("wrap", [str, files.as_base64], ids=["plain", "base64"])
    def test_columns_of_today(self, tmp_path, wrap):
        [record] = read(write(tmp_path, "step_metrics.csv", wrap(files.OPENAI_CSV)))
        assert losses(record, "train_loss")[:3] == [2.31, 2.2, 1.9]
        assert math.isnan(losses(record, "train_loss")[3])
        assert record["valid_loss"] == [[1, 2.4], [4, 2.0]]  # blanks and -1 are no values
        assert record["train_mean_token_accuracy"][0] == [1, 0.51]
        assert "full_valid_loss" not in record

    @pytest.mark.parametrize("wrap", [str, files.as_base64], ids=["plain", "base64"])
    def test_file_cut_while_the_job_runs_gives_no_false_loss(self, wrap):
        whole = parse_series(AZURE_ROWS.encode())
        packed = wrap(AZURE_ROWS).encode()
        for cut in range(len(packed) // 2, len(packed)):
            part = parse_series(packed[:cut])
            for field in ("train_loss", "valid_loss", "full_valid_loss"):
                assert part.get(field, []) == whole[field][: len(part.get(field, []))]
        assert len(part["train_loss"]) >= 3  # the last cut takes no more than the last row

    @pytest.mark.parametrize(("wrap", "lost"), [(str, 8), (files.as_base64, 4)], ids=["plain", "base64"])
    def test_file_that_was_cut_short_is_told(self, tmp_path, wrap, lost):
        heard = []
        text = wrap(files.OPENAI_CSV)
        read(write(tmp_path, "whole.csv", text), tell=heard.append)
        read(write(tmp_path, "part.csv", text[:-lost]), tell=heard.append)
        [told] = [words for words in heard if "cut short" in words]
        assert "part.csv" in told

    @pytest.mark.parametrize("data", [b"<html>busy</html>", b"", b"\xff\xfe\x00", b"a,b\n1,2\n"])
    def test_no_table_says_so(self, data):
        with pytest.raises(NotThisFormat):
            parse_series(data)

    def test_azure(self, tmp_path):
        [record] = read(write(tmp_path, "results.csv", files.AZURE_CSV))
        assert record["full_valid_loss"] == [[2, 2.1]]
        assert record["valid_mean_token_accuracy"] == [[1, 0.5], [2, 0.55]]

    def test_gpt3(self, tmp_path):
        [record] = read(write(tmp_path, "finetune_results.csv", files.GPT3_CSV))
        assert record["train_loss"] == [[1, 0.19], [2, 0.17]]
        assert record["valid_loss"] == [[1, 0.21]]
        assert record["train_mean_token_accuracy"] == [[1, 0.75], [2, 0.8]]


EVENTS = [
    {"id": "e4", "object": "fine_tuning.job.event", "created_at": 1760000030, "type": "message", "message": "Done", "data": {}},
    {"id": "e3", "object": "fine_tuning.job.event", "created_at": 1760000020, "type": "metrics", "message": "Step 2/2: ...",
     "data": {"step": 2, "total_steps": 2, "train_loss": 1.5, "valid_loss": 1.75, "full_valid_loss": 1.7}},
    {"id": "e2", "object": "fine_tuning.job.event", "created_at": 1760000010, "message": "Step 1/2: training loss=2.00", "data": None},
    {"id": "e1", "object": "fine_tuning.job.event", "created_at": 1760000000, "type": "metrics", "message": "",
     "data": {"step": 0, "full_valid_loss": 3.0}},
]  # fmt: skip
EVENT_FORMS = {
    "page": json.dumps({"object": "list", "data": EVENTS, "has_more": False}),
    "list": json.dumps(EVENTS),
    "lines": "\n".join(map(json.dumps, EVENTS)),
}


@pytest.mark.parametrize("text", EVENT_FORMS.values(), ids=EVENT_FORMS)
def test_openai_events(tmp_path, text):
    [record] = read(write(tmp_path, "events.json", text))
    assert record["train_loss"] == [[1, 2.0], [2, 1.5]]  # oldest first, whichever way they came
    assert (record["valid_loss"], record["full_valid_loss"]) == ([[2, 1.75]], [[2, 1.7]])
    assert (record["base_valid_loss"], record["total_steps"], record["created_at"]) == (3, 2, 1760000000)


def test_llama_factory_log(tmp_path):
    [record] = read(files.trainer_log(tmp_path / "trainer_log.jsonl"))
    assert record["train_loss"] == [[10, 2.0], [20, 1.5], [20, 1.4], [40, 1.2]]
    assert record["full_valid_loss"] == [[20, 1.6], [40, 1.4]]
    assert record["hyperparameters"] == {"n_epochs": 2, "learning_rate": 1e-4}
    assert (record["steps_per_epoch"], record["total_steps"], record["status"]) == (20, 40, "succeeded")
    assert record["trained_tokens"] == 81920


def test_axolotl_log(tmp_path):
    [record] = read(write(tmp_path, "train.log", files.AXOLOTL_LOG))
    assert [step for step, _ in record["train_loss"]] == [10, 20, 30, 40]
    assert losses(record, "train_loss")[1] == 1.5  # quoted numbers of newer versions
    assert math.isnan(losses(record, "train_loss")[2])
    assert record["full_valid_loss"] == [[20, 1.6], [40, 1.4]]
    assert record["hyperparameters"] == {"n_epochs": 2, "batch_size": 8, "learning_rate": 2e-4}
    assert (record["model"], record["lr_schedule"], record["status"]) == (
        "meta-llama/Llama-3.2-1B",
        "cosine",
        "succeeded",
    )


def test_console_log_takes_what_it_does_not_print_from_the_model_card(tmp_path):
    (tmp_path / "README.md").write_text(
        "### Training hyperparameters\n\n- total_train_batch_size: 32\n- num_epochs: 9\n"
    )
    text = "num_epochs: 1" + "\n" * 50_000 + "{'loss': 2.0, 'epoch': 0.5}\n"
    [record] = read(write(tmp_path, "out.txt", text))
    assert record["hyperparameters"] == {"n_epochs": 1, "batch_size": 32}


def test_console_log_without_bars_counts_in_epochs(tmp_path):
    [record] = read(
        write(tmp_path, "out.txt", "{'loss': 2.0, 'epoch': 0.5}\nnoise\n{'eval_loss': 1.9, 'epoch': 1.0}\n")
    )
    assert (record["train_loss"], record["full_valid_loss"]) == ([[0.5, 2.0]], [[1, 1.9]])
    assert record["steps_per_epoch"] == 1


ROWS = [
    f"{{'loss': '{3 - i / 10:.4g}', 'learning_rate': '{1e-3 * (1 - (5 * i - 1) / 60):.4g}', 'epoch': '{i / 4:.4g}'}}"
    for i in range(1, 13)
]
SUM = "{'train_runtime': '2.808', 'train_steps_per_second': '21.37', 'train_loss': '2.4', 'epoch': '3'}"
OTHER_BARS = {
    "no bar": "",
    "saving": "Writing model shards: 100%|####| 1/1 [00:00<00:00, 674.54it/s]\n",
    "loading": "Loading checkpoint shards: 100%|####| 4/4 [00:05<00:00]\r",
    "mapping": "Map (num_proc=4): 100%|####| 5000/5000 [00:01<00:00, 4000 examples/s]\n",
}


@pytest.mark.parametrize("bar", OTHER_BARS.values(), ids=OTHER_BARS)
def test_console_log_takes_its_steps_from_no_bar_with_a_name(tmp_path, bar):
    [record] = read(write(tmp_path, "out.txt", bar.join([*ROWS, SUM])))
    assert record["train_loss"][0] == [5, 2.9]  # by the summary's time and pace: 60 steps
    assert (record["total_steps"], record["hyperparameters"]["learning_rate"]) == (60, 1e-3)
    [running] = read(write(tmp_path, "out.txt", bar + bar.join(ROWS[:3])))
    assert "total_steps" not in running
    assert running["train_loss"][0] == [0.25, 2.9]


@pytest.mark.parametrize("label", ["", "[rank0]: ", "0: ", "[1,0]<stderr>: "])
def test_console_log_reads_the_trainers_bar_behind_a_launchers_label(tmp_path, label):
    text = "\n".join([f"{label} 8%|#   | 5/60 [00:05<...]", *ROWS, SUM.replace("21.37", "0.0")])
    [record] = read(write(tmp_path, "out.txt", text))
    assert (record["total_steps"], record["train_loss"][0][0]) == (60, 5)
    assert record["hyperparameters"]["learning_rate"] == 1e-3


class TestJobRecords:
    ONE = {"id": "j", "hyperparameters": {"n_epochs": 2}, "train_loss": [[1, 2.0]], "status": "succeeded"}  # noqa: RUF012

    @pytest.mark.parametrize("content", [{"jobs": [ONE]}, [ONE], ONE], ids=["jobs", "list", "one"])
    def test_read_as_they_stand(self, tmp_path, content):
        [record] = read(write(tmp_path, "jobs.json", json.dumps(content)))
        assert {key: record[key] for key in self.ONE} == self.ONE

    @pytest.mark.parametrize(
        "content",
        [{"id": "x", "train": [[1, 0.5, 2.0]], "hyperparameters": {"num_train_epochs": 3}}, {"id": 1}, []],
    )
    def test_objects_of_another_kind_are_refused(self, tmp_path, content):
        with pytest.raises(ReadError):
            read(write(tmp_path, "x.json", json.dumps(content)))


class TestFoldersOfRuns:
    TABLE = "step,epoch,train_loss,val_loss\n9,0,2.0,2.1\n19,1,1.5,1.8\n"

    def run(self, folder, name="metrics.csv", text=TABLE):
        folder.mkdir(parents=True)
        (folder / name).write_text(text)

    @pytest.mark.parametrize("below", ["version_0", "runs/Nov24_host"])
    def test_the_one_run_below_is_read(self, tmp_path, below):
        self.run(tmp_path / "logs" / below)
        (tmp_path / "logs" / "notes").mkdir()
        heard = []
        [record] = read(tmp_path / "logs", heard.append)
        assert record["id"] == below.rpartition("/")[2]
        assert f"of its files {below}/metrics.csv is read" in heard[0]

    def test_of_several_one_has_to_be_named(self, tmp_path):
        for below in ("version_0", "version_1", "logs/version_2", "deep/down/version_3"):
            self.run(tmp_path / below)
        with pytest.raises(
            ReadError, match=r"holds 3 runs: logs/version_2, version_0, version_1; name one of"
        ):
            read(tmp_path)

    def test_the_two_parts_of_a_keras_run_are_one(self, tmp_path):
        for part in ("train", "validation"):
            self.run(tmp_path / part, "events.out.tfevents.1", "no event")
        with pytest.raises(ReadError, match="TensorBoard"):  # one is found, and no event file
            read(tmp_path)

    def test_a_file_of_a_name_of_its_own_names_its_run(self, tmp_path):
        assert read(write(tmp_path, "results.csv", files.OPENAI_CSV))[0]["id"] == "results"


def test_source_is_named_with_its_digest(tmp_path):
    path = write(tmp_path, "results.csv", files.OPENAI_CSV)
    [record] = tracker.read(path)
    assert record["source"]["path"] == str(path)
    assert len(record["source"]["sha256"]) == 64


def test_error_lists_what_was_tried(tmp_path):
    with pytest.raises(ReadError) as caught:
        read(write(tmp_path, "novel.txt", "It was a dark and stormy night"))
    message = str(caught.value)
    for name in (
        "trainer_state.json",
        "OpenAI result CSV",
        "Keras",
        "Lightning",
        "TensorBoard",
        "Weights & Biases",
    ):
        assert name in message
    assert "stormy" not in message


def test_missing_file(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        read(tmp_path / "nothing.csv")


def test_a_model_named_by_mistake_is_not_read_into_memory(tmp_path):
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no room on disk
    with pytest.raises(ReadError, match="3000 MB"):
        read(tmp_path / "model.safetensors")


def test_folder_without_logs(tmp_path):
    with pytest.raises(ReadError, match="holds none of"):
        read(tmp_path)


def _steps(count, *, end=False):
    lines = [
        {"current_steps": s, "total_steps": 60, "loss": 2 - s / 60, "epoch": s / 20}
        for s in range(10, count + 1, 10)
    ]
    return [*lines, {"current_steps": count, "total_steps": 60, "epoch": count / 20}] if end else lines


@pytest.mark.parametrize(
    ("lines", "status", "told"),
    [
        (_steps(30), "running", "has 30 of 60 steps and no sign of an end"),
        (_steps(30, end=True), None, "has 30 of 60 steps and does not tell"),
        (_steps(60, end=True), "succeeded", ""),
    ],
    ids=["cut off", "stopped early", "whole"],
)
def test_a_llamafactory_log_of_some_steps_runs_still_unless_it_tells_of_an_end(tmp_path, lines, status, told):
    notes = []
    path = write(tmp_path, "trainer_log.jsonl", "\n".join(map(json.dumps, lines)))
    [record] = read(path, notes.append)
    assert record.get("status") == status
    assert told in " ".join(notes)
    assert bool(told) is bool(notes)


def test_a_trainer_state_of_some_steps_is_told_to_be_of_an_unknown_end(tmp_path):
    notes = []
    log = [{"step": s, "epoch": s / 20, "loss": 2 - s / 60} for s in (10, 20, 30)]
    state = {"global_step": 30, "max_steps": 60, "num_train_epochs": 3, "log_history": log}
    [record] = read(write(tmp_path, "trainer_state.json", json.dumps(state)), notes.append)
    assert record.get("status") is None
    assert "has 30 of 60 steps and does not tell whether" in notes[0]


def test_a_log_of_accuracy_alone_is_refused_with_what_was_found(tmp_path):
    path = write(tmp_path, "log.jsonl", '{"step": 1, "accuracy": 0.5}\n{"step": 2, "accuracy": 0.6}')
    with pytest.raises(ReadError, match="found step, accuracy, but no loss"):
        read(path)


def test_a_key_of_a_log_may_be_anything_and_is_told_as_a_name_or_not_at_all(tmp_path):
    odd = {"\x1b[2J": 1, "sk-proj-ABCDEFGH12345678": 2, "metrics": {"nll": 3}}
    path = write(tmp_path, "log.jsonl", json.dumps(odd) + "\n")
    with pytest.raises(ReadError, match=r"found \[\.\.\.\], \[secret\], metrics.nll, but no loss"):
        read(path)


def test_a_loss_within_an_object_is_not_said_to_be_none(tmp_path):
    path = write(tmp_path, "log.jsonl", '{"metrics": {"train_loss": 1.0}, "step": 1}\n')
    with pytest.raises(ReadError, match=r"can be read\. Tried"):
        read(path)
