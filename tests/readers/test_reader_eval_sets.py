"""A Trainer that evaluates on several sets logs a loss a set and none over all: the mean counts, and the sets are named."""

from __future__ import annotations

import csv
import json

import pytest

from tracker.readers import read
from tracker.readers.mlflow_keys import record_of_run

LOSSES = [(10, "loss", 2.0), (10, "grad_norm", 1.0), (10, "eval_a_loss", 1.5), (10, "eval_b_loss", 2.5)]
LOSSES += [(20, "loss", 1.0), (20, "eval_a_loss", 1.0), (20, "eval_b_loss", 1.5), (30, "eval_a_loss", 0.5)]
MEAN = [[10, 2.0], [20, 1.25]]  # at step 30 one set is missing
TOLD = "the validation loss is the mean over 2 sets: a, b"


def slashed(key):
    """As TensorBoard and W&B have it."""
    return f"eval/{key.removeprefix('eval_')}" if key.startswith("eval_") else f"train/{key}"


def trainer_state(folder):
    rows = [{"step": step, "epoch": step / 10, key: value} for step, key, value in LOSSES]
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({"log_history": rows, "max_steps": 30, "num_train_epochs": 3}))
    return path


def console(folder):
    rows = [f"{{'{key}': '{value}', 'epoch': '{step}'}}\n" for step, key, value in LOSSES]
    (folder / "out.log").write_text("".join(rows))
    return folder / "out.log"


def wandb(folder):
    keys = sorted({slashed(key) for _, key, _ in LOSSES})
    with (folder / "history.csv").open("w") as file:
        lines = csv.DictWriter(file, ["_step", "train/global_step", *keys])
        lines.writeheader()
        for i, (step, key, value) in enumerate(LOSSES):
            lines.writerow({"_step": i, "train/global_step": step, slashed(key): value})
    return folder / "history.csv"


def tensorboard(folder):
    event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2", reason="the extra tensorboard")
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder / "run"))
    for step, key, value in LOSSES:
        summary = Summary(value=[Summary.Value(tag=slashed(key), simple_value=value)])
        writer.add_event(event_pb2.Event(wall_time=1, step=step, summary=summary))
    writer.close()
    return folder / "run"


@pytest.mark.parametrize("source", [trainer_state, console, wandb, tensorboard], ids=lambda f: f.__name__)
def test_mean_over_sets_is_the_validation_loss(tmp_path, source):
    heard = []
    [record] = read(source(tmp_path), heard.append)
    assert record["full_valid_loss"] == MEAN
    assert any(words.endswith(TOLD) for words in heard)


def of_run(*points):
    metrics: dict = {"loss": [(10, 2.0)], "learning_rate": [(10, 1e-4)]}
    for step, key, value in points:
        metrics.setdefault(key, []).append((step, value))
    return record_of_run("run", metrics, {})


def test_run_in_mlflow():
    record = of_run(*LOSSES)
    assert (record["full_valid_loss"], record["valid_sets"]) == (MEAN, ["a", "b"])


def test_lone_set_goes_before_others():
    record = of_run((10, "eval_loss", 3.0), (10, "eval_nll_loss", 1.0))
    assert record["full_valid_loss"] == [[10, 3.0]]
    assert "valid_sets" not in record


def test_accuracy_is_the_mean_too():
    record = of_run((10, "eval_a_mean_token_accuracy", 0.5), (10, "eval_b_mean_token_accuracy", 0.75))
    assert record["full_valid_mean_token_accuracy"] == [[10, 0.625]]


def test_names_of_sets_are_not_obeyed(tmp_path):
    row = {"step": 10, "epoch": 1, "loss": 2.0, "eval_\x1b[31m_loss": 1.5}
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [row]}))
    heard = []
    read(tmp_path, heard.append)
    assert heard[-1].endswith("the validation loss is that of the set [...]")
