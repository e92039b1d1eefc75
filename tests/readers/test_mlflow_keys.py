"""The vocabulary of each logger, as its keys come out of MLflow."""

from __future__ import annotations

import pytest

from tracker.readers import remarks
from tracker.readers.dialects import DIALECTS, dialect_of
from tracker.readers.mlflow_keys import read_metrics, record_of_run, steps_per_epoch
from tracker.readers.setting_keys import read_settings

CASES = {
    "Hugging Face": (["loss", "eval_loss", "train_loss", "learning_rate", "epoch"], "Hugging Face Trainer"),
    "Hugging Face, no evaluation": (["loss", "grad_norm", "epoch"], "Hugging Face Trainer"),
    "Lightning": (["train_loss", "val_loss", "epoch"], "Lightning"),
    "Lightning autolog": (["train_loss_step", "train_loss_epoch", "val_loss", "lr-AdamW"], "Lightning"),
    "Keras autolog": (["loss", "val_loss", "accuracy", "val_accuracy"], "Keras"),
    "Keras, training alone": (["loss", "accuracy"], "Keras"),
    "ours": (["train_loss", "valid_loss", "full_valid_loss", "best_full_valid_loss"], "OpenAI"),
    "OpenAI's, as W&B syncs it": (["train_loss", "train_accuracy", "valid_loss"], "OpenAI"),
    "a loop of one's own": (["train_loss", "valid_loss"], "a loop of its own"),
    "ours, training alone": (["train_loss", "train_mean_token_accuracy"], "OpenAI"),
}


@pytest.mark.parametrize(("keys", "name"), CASES.values(), ids=CASES)
def test_dialects(keys, name):
    assert dialect_of(set(keys)).name == name


def test_no_loss_no_dialect():
    assert dialect_of({"accuracy", "f1"}) is None
    assert read_metrics({"accuracy": [(1, 0.5)]}) == {}


def test_trainers_summary_is_no_series():
    series = read_metrics(
        {"loss": [(10, 2.0), (20, 1.5)], "eval_loss": [(20, 1.6)], "train_loss": [(20, 1.75)]}
    )
    assert series["train_loss"] == [(10, 2.0), (20, 1.5)]


def test_keras_counts_epochs_from_one():
    metrics = {"loss": [(0, 2.0), (1, 1.5)], "val_loss": [(0, 2.1), (1, 1.9)]}
    assert read_metrics(metrics)["full_valid_loss"] == [(1, 2.1), (2, 1.9)]
    assert steps_per_epoch(metrics) == 1


def test_lightning_evaluation_after_the_first_step_is_no_base_loss():
    every_step = read_metrics({"train_loss": [(0, 2.0)], "val_loss": [(0, 2.1), (1, 1.9)]})
    assert every_step["full_valid_loss"] == [(1, 2.1), (2, 1.9)]
    beforehand = read_metrics({"train_loss": [(0, 2.0)], "val_loss": [(0, 3.0), (9, 1.9)]})
    assert beforehand["full_valid_loss"] == [(0, 3.0), (10, 1.9)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_every_key_is_read(dialect):
    for field, keys in dialect.series.items():
        for key in keys:
            assert field in read_metrics({key: [(5, 1.0)]}, dialect)


def test_settings_of_the_trainer_as_mlflow_keeps_them():
    params = {"num_train_epochs": "3", "per_device_train_batch_size": "4", "gradient_accumulation_steps": "8",
              "learning_rate": "5e-05", "lr_scheduler_type": "SchedulerType.LINEAR", "seed": "42",
              "_name_or_path": "bert-base-uncased", "max_steps": "-1"}  # fmt: skip
    assert read_settings(params) == {
        "hyperparameters": {"n_epochs": 3, "batch_size": 32, "learning_rate": 5e-05},
        "model": "bert-base-uncased",
        "lr_schedule": "linear",
        "seed": 42,
    }


@pytest.mark.parametrize("value", ["auto", -1, "None", None, "", "nan"])
def test_unresolved_settings_are_left_out(value):
    assert read_settings({"n_epochs": value, "batch_size": value})["hyperparameters"] == {}


def test_a_whole_run_of_the_trainer():
    metrics = {
        "loss": [(10, 2.0)],
        "eval_loss": [(0, 3.0), (20, 1.5)],
        "epoch": [(10, 0.5), (20, 1.0)],
        "train_loss": [(20, 1.8)],
    }
    record = record_of_run(
        "r1", metrics, {"num_train_epochs": "1", "learning_rate": "1e-4"}, status="succeeded"
    )
    assert record == {
        "id": "r1",
        "logger": "Hugging Face Trainer",
        "status": "succeeded",
        "hyperparameters": {"n_epochs": 1, "learning_rate": 1e-4},
        "steps_per_epoch": 20,
        "base_valid_loss": 3,
        "train_loss": [[10, 2.0]],
        "full_valid_loss": [[20, 1.5]],
    }


@pytest.mark.parametrize(("limit", "epochs"), [("40", 2.5), ("-1", 1), (None, 1)])
def test_a_trainers_max_steps_overrules_its_epochs(limit, epochs):
    metrics = {
        "loss": [(8, 2.0), (40, 1.0)],
        "learning_rate": [(8, 1e-4)],
        "epoch": [(8, 0.5), (40, 2.5)],
        "eval_loss": [(40, 1.1)],
    }
    record = record_of_run("r", metrics, {"num_train_epochs": "1", "max_steps": limit})
    assert record["hyperparameters"]["n_epochs"] == epochs


@pytest.mark.parametrize(
    ("logged", "counted"),
    [
        ((50, 100, 150), (50, 100, 150)),
        ((49, 99, 149), (50, 100, 150)),
        ((0, 1, 2), (1, 2, 3)),
        ((1, 2, 3), (1, 2, 3)),
    ],
)
@pytest.mark.parametrize(
    "keys", [("training_loss", "validation_loss"), ("Loss/train", "Loss/val"), ("train_loss", "valid_loss")]
)
def test_steps_that_are_counted_from_one_are_left_as_they_are(keys, logged, counted):
    series = read_metrics({key: [(step, 1.0) for step in logged] for key in keys})
    assert {field: tuple(step for step, _ in points) for field, points in series.items()} == {
        "train_loss": counted,
        "full_valid_loss": counted,
    }


def test_settings_may_be_nested_by_dots_and_plain_names_win():
    params = {
        "training.learning_rate": "1e-4",
        "trainer.max_epochs": "3",
        "data.batch_size": "16",
        "batch_size": "8",
    }
    assert read_settings(params)["hyperparameters"] == {"n_epochs": 3, "batch_size": 8, "learning_rate": 1e-4}


@pytest.mark.parametrize(
    ("params", "batch"),
    [
        ({"train.batch_size": "8", "eval.batch_size": "64"}, 8),
        ({"eval_dataloader/batch_size": "64", "data/train/batch_size": "8"}, 8),
        ({"model.batch_size": "8", "data.batch_size": "8.0"}, 8),
        ({"actor.batch_size": "8", "critic.batch_size": "16", "batch_size": "4"}, 4),
        ({"actor.batch_size": "8", "critic.batch_size": "16"}, None),
    ],
)
def test_a_setting_of_several_parts_is_the_trainings_or_not_known(params, batch):
    read = read_settings(params)
    assert read["hyperparameters"].get("batch_size") == batch
    told = "actor.batch_size and critic.batch_size differ: batch_size is taken as not known"
    assert remarks(read) == ([told] if batch is None else [])
