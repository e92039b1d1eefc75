"""The two fullest logs of a trainer: trainer_state.json and TensorBoard event files."""

from __future__ import annotations

import json
import math

import history_files as files
import pytest
from history_files import write

from tracker.readers import ReadError, read


class TestTrainerState:
    def test_curves_and_settings(self, tmp_path):
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json"))
        assert record["id"] == tmp_path.name
        assert record["train_loss"][0] == [10, files.loss_at(10)]
        assert [step for step, _ in record["full_valid_loss"]] == [50, 100, 150]
        assert record["status"] == "succeeded"
        assert (record["steps_per_epoch"], record["total_steps"]) == (50, 150)
        # 20 samples/s over 2.5 steps/s: the device's batch of 4, accumulated twice; 20/s x 60 s / 3 epochs
        assert record["hyperparameters"] == {
            "n_epochs": 3,
            "batch_size": 8,
            "learning_rate": 5e-5,  # logged from 4.667e-5 on
        }
        assert record["n_train_examples"] == 400

    def test_bare_nan_and_text_nan(self, tmp_path):
        rows = [{"step": 1, "epoch": 0.5, "loss": math.nan}, {"step": 2, "epoch": 1.0, "eval_loss": "NaN"}]
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json", log_history=rows))
        assert math.isnan(record["train_loss"][0][1])
        assert math.isnan(record["full_valid_loss"][0][1])

    def test_evaluation_before_training_is_the_base_loss(self, tmp_path):
        rows = [{"step": 0, "epoch": 0, "eval_loss": 3.1}, {"step": 2, "epoch": 1.0, "eval_loss": 2.0}]
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json", log_history=rows))
        assert record["base_valid_loss"] == 3.1
        assert record["full_valid_loss"] == [[2, 2.0]]

    def test_resumed_run_keeps_every_point_in_order(self, tmp_path):
        rows = [{"step": s, "epoch": e, "loss": 1.0} for s, e in [(10, 1.0), (20, 2.0), (20, 0.5), (30, 1.0)]]
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json", log_history=rows))
        assert [step for step, _ in record["train_loss"]] == [10, 20, 20, 30]

    def test_epochs_without_steps_are_the_steps(self, tmp_path):
        rows = [{"epoch": 1.0, "loss": 2.0}, {"epoch": 2.0, "eval_loss": 1.5}]
        path = write(tmp_path, "state.json", json.dumps({"log_history": rows}))
        [record] = read(path)
        assert (record["train_loss"], record["full_valid_loss"]) == ([[1, 2.0]], [[2, 1.5]])
        assert record["steps_per_epoch"] == 1

    def test_max_steps_that_cuts_an_epoch_short_gives_the_true_epochs(self, tmp_path):
        rows = [{"step": 25, "epoch": 0.25, "loss": 2.0}]
        state = {"max_steps": 25, "global_step": 25, "epoch": 0.25, "num_train_epochs": 1}
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json", log_history=rows, **state))
        assert record["hyperparameters"]["n_epochs"] == 0.25

    def test_unfinished_checkpoint_has_no_status(self, tmp_path):
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json", global_step=100))
        assert "status" not in record

    def test_model_card_beside_it_is_believed(self, tmp_path):
        card = "# m\n\n### Training hyperparameters\n\n- learning_rate: 2e-05\n- total_train_batch_size: 32\n- num_epochs: 3.0\n- seed: 7\n"
        (tmp_path / "README.md").write_text(card)
        (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
        [record] = read(files.trainer_state(tmp_path / "trainer_state.json"))
        assert record["hyperparameters"] == {"n_epochs": 3, "batch_size": 32, "learning_rate": 2e-05}
        assert (record["model"], record["seed"]) == ("org/base", 7)

    def test_run_folder_stands_for_its_newest_checkpoint(self, tmp_path):
        (tmp_path / "README.md").write_text("### Training hyperparameters\n\n- total_train_batch_size: 32\n")
        for step in (900, 1000):
            (tmp_path / f"checkpoint-{step}").mkdir()
            files.trainer_state(tmp_path / f"checkpoint-{step}" / "trainer_state.json", global_step=step)
        [record] = read(tmp_path)
        assert record["id"] == tmp_path.name
        assert record["hyperparameters"]["batch_size"] == 32  # the model card lies in the run's folder
        assert record["status"] == "succeeded"


class TestTensorBoard:
    @staticmethod
    def write(folder, scalars, start=1760000000.0):
        event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2", reason="the extra tensorboard")
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(
            str(folder), filename_suffix=f".{start}"
        )  # two of one second would be one file
        for i, (tag, step, value) in enumerate(scalars):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(event_pb2.Event(wall_time=start + i, step=step, summary=summary))
        writer.close()

    def test_trainer(self, tmp_path):
        rows = [
            ("train/loss", 10, 2.0),
            ("train/epoch", 10, 0.5),
            ("eval/loss", 20, 1.5),
            ("train/epoch", 20, 1.0),
        ]
        self.write(tmp_path / "run1", rows)
        heard = []
        [record] = read(tmp_path / "run1", heard.append)
        assert not [words for words in heard if "as one run" in words]
        assert (record["id"], record["train_loss"], record["full_valid_loss"]) == (
            "run1",
            [[10, 2.0]],
            [[20, 1.5]],
        )
        assert record["steps_per_epoch"] == 20

    def test_all_files_of_a_folder_are_one_run(self, tmp_path):
        """Lightning begins a second file when fitting follows a validation; so does a resumed Trainer."""
        self.write(tmp_path / "v0", [("val_loss", 0, 3.0), ("epoch", 0, 0)], start=1760000000.0)
        rows = [
            (key, step, value)
            for i in range(3)
            for key, step, value in (
                ("train_loss_step", 20 * i + 19, 2.0 - i / 2),
                ("val_loss", 20 * i + 19, 2.5 - i / 2),
                ("epoch", 20 * i + 19, i),
            )
        ]
        self.write(tmp_path / "v0", rows, start=1760000100.0)
        heard = []
        [record] = read(tmp_path / "v0", heard.append)
        assert "2 event files of its folder are read as one run" in heard[-1]
        assert record["base_valid_loss"] == 3
        assert record["full_valid_loss"] == [[20, 2.5], [40, 2.0], [60, 1.5]]
        assert (record["steps_per_epoch"], record["hyperparameters"]) == (20, {"n_epochs": 3})

    @pytest.mark.parametrize(
        ("max_steps", "rate"),
        [(100, 2e-4), (-1, 1.9e-4)],
        ids=["planned", "not told: as far as it is logged"],
    )
    def test_the_rate_that_was_set_is_reckoned_by_the_steps_that_were_planned(
        self, tmp_path, max_steps, rate
    ):
        rows = [("train/learning_rate", n, 2e-4 * (1 - n / 100)) for n in (5, 10, 15)]
        self.write(tmp_path / "run", [*rows, ("train/loss", 15, 1.0)])
        self.arguments(tmp_path / "run", {"max_steps": max_steps})
        [record] = read(tmp_path / "run")
        assert record["hyperparameters"]["learning_rate"] == pytest.approx(rate)

    @staticmethod
    def arguments(folder, args):
        from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(folder), filename_suffix=".args")
        tensor = tensor_pb2.TensorProto(dtype=7, string_val=[json.dumps(args).encode()])
        value = summary_pb2.Summary.Value(tag="args/text_summary", tensor=tensor)
        value.metadata.plugin_data.plugin_name = "text"
        writer.add_event(event_pb2.Event(wall_time=1.0, summary=summary_pb2.Summary(value=[value])))
        writer.close()

    def test_tags_are_not_obeyed(self, tmp_path):
        self.write(tmp_path / "run", [("acc\x1b[31m", 1, 0.5), ("accuracy", 1, 0.5)])
        with pytest.raises(ReadError) as caught:
            read(tmp_path / "run")
        assert "among its scalars [...], accuracy" in str(caught.value)
        assert "\x1b" not in str(caught.value)

    def test_keras_parts_are_one_run(self, tmp_path):
        self.write(tmp_path / "run2" / "train", [("epoch_loss", 0, 2.0), ("epoch_loss", 1, 1.5)])
        self.write(tmp_path / "run2" / "validation", [("epoch_loss", 0, 2.25), ("epoch_loss", 1, 1.75)])
        [record] = read(tmp_path / "run2" / "train")
        assert (record["id"], record["train_loss"]) == ("run2", [[1, 2.0], [2, 1.5]])
        assert record["full_valid_loss"] == [[1, 2.25], [2, 1.75]]


def test_a_checkpoint_has_the_batch_that_the_summary_of_its_run_tells(tmp_path):
    """Its own log has the batch of one device; accumulation and devices multiply it."""
    whole = files.trainer_state(tmp_path / "trainer_state.json")
    state = json.loads(whole.read_text())
    folder = tmp_path / "checkpoint-100"
    folder.mkdir()
    part = state | {"global_step": 100, "log_history": [r for r in state["log_history"] if r["step"] <= 100]}
    (folder / "trainer_state.json").write_text(json.dumps(part))
    [run], [checkpoint] = read(whole), read(folder)
    assert (
        checkpoint["hyperparameters"]
        == run["hyperparameters"]
        == {"n_epochs": 3, "batch_size": 8, "learning_rate": 5e-5}
    )
    whole.unlink()
    assert read(folder)[0]["hyperparameters"]["batch_size"] == 4, "as far as it is known"


def test_a_run_that_was_told_to_stop_early_has_ended_and_counts_its_own_examples(tmp_path):
    """The summary of transformers 5 is of the steps that were run, and of those planned before."""
    path = files.trainer_state(tmp_path / "trainer_state.json", num_train_epochs=30, max_steps=1500,
                         stateful_callbacks={"TrainerControl": {"args": {"should_training_stop": True}}})  # fmt: skip
    heard = []
    [record] = read(path, heard.append)
    assert (record["status"], record["n_train_examples"], heard) == ("succeeded", 400, [])
    assert record["hyperparameters"]["n_epochs"] == 30
