"""Other people's logs as runs in MLflow, and back as job records."""

from __future__ import annotations

import json
import os

import pytest

import tracker
from tracker.cli import main
from tracker.importer import import_paths
from tracker.importer.of_record import content_of, step_scale

STATE = {
    "global_step": 4,
    "max_steps": 4,
    "num_train_epochs": 2,
    "log_history": [
        {"step": 0, "epoch": 0, "eval_loss": 3.0},
        {"step": 2, "epoch": 1.0, "loss": 2.0, "learning_rate": 1e-4},
        {"step": 2, "epoch": 1.0, "eval_loss": 2.1},
        {"step": 4, "epoch": 2.0, "loss": float("nan")},
        {"step": 4, "epoch": 2.0, "eval_loss": 1.9},
        {"step": 4, "epoch": 2.0, "eval_loss": 2.05},
    ],
}


def records(store, run):
    from tracker.jobrecords import records

    return records(run_id=run["run_id"], tracking_uri=store)


def whole_run(store, run):
    """The run's row (times, params, tags) and all its points with their times."""
    from tracker.runs import reader

    [row] = reader(store).runs(run_ids=[run["run_id"]])
    return vars(row), reader(store).curves([row.run_id])


def test_a_log_becomes_a_run_that_reads_back_as_its_record(tmp_path, store):
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(STATE))
    [run] = import_paths([path], "old", store).runs
    [record] = records(store, run)
    [original] = tracker.read(path)
    assert record["hyperparameters"] == original["hyperparameters"] == {"n_epochs": 2, "learning_rate": 1e-4}
    assert record["full_valid_loss"] == [
        [2, 2.1],
        [4, 1.9],
        [4, 2.05],
    ]  # both evaluations at step 4, in order
    assert record["train_loss"] == [[2, 2.0], [4, "NaN"]]
    assert (record["base_valid_loss"], record["total_steps"], record["status"]) == (3.0, 4, "succeeded")


def test_a_log_cut_short_is_no_run_that_goes_on_for_ever():
    cut = {"id": "a", "status": "running", "train_loss": [[1, 2.0]], "total_steps": 9}
    assert content_of(cut, "a", "old", 0.0).status == "succeeded"
    served = cut | {"provider": "openai"}  # its provider may tell more of it
    assert content_of(served, "a", "old", 0.0).status == "running"


def test_importing_again_changes_nothing(tmp_path, store):
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(STATE))
    [first] = import_paths([path], "old", store).runs
    before = whole_run(store, first)
    moved = path.rename(tmp_path / "elsewhere.json")
    os.utime(
        moved, (1_700_000_000, 1_700_000_000)
    )  # as a copy has: the log itself does not say when it began
    [second] = import_paths([moved], "old", store).runs
    assert second["run_id"] == first["run_id"]
    assert whole_run(store, second) == before


def test_a_tree_of_runs(tmp_path, store):
    for name in ("a", "b/deep", ".git/x"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "trainer_state.json").write_text(json.dumps({**STATE, "note": name}))
    (tmp_path / "runs" / "a" / "checkpoint-2").mkdir()
    (tmp_path / "runs" / "a" / "checkpoint-2" / "trainer_state.json").write_text(json.dumps(STATE))
    done = import_paths([tmp_path / "runs"], "old", store)
    assert [run["name"] for run in done.runs] == ["a", "deep"]


def test_epochs_without_steps_become_whole_steps():
    record = {"hyperparameters": {}, "train_loss": [[0.5, 2.0], [1.0, 1.5]], "steps_per_epoch": 1, "id": "r"}
    assert step_scale(record) == 1000
    made = content_of(record, "import-1", "old", 1_760_000_000)
    assert [(p.key, p.step) for p in made.points] == [("train_loss", 500), ("train_loss", 1000)]
    assert made.params["steps_per_epoch"] == "1000"


@pytest.mark.parametrize("odd", [[[None, 1.0]], [["NaN", 1.0]], [[1, "Infinity"]], [[1, None], [2, 1.0]]])
def test_odd_points_do_no_harm(odd):
    made = content_of({"hyperparameters": {"n_epochs": "auto"}, "train_loss": odd}, "import-1", "old", 1.0)
    assert made.params.get("n_epochs") is None
    assert all(p.step >= 0 for p in made.points)


def test_the_command_names_what_it_cannot_read_and_imports_the_rest(tmp_path, store, capsys):
    (tmp_path / "novel.txt").write_text("It was a dark and stormy night")
    (tmp_path / "history.json").write_text(json.dumps({"loss": [2.0, 1.5], "val_loss": [2.1, 1.8]}))
    (tmp_path / "empty").mkdir()
    words = ["import", *(str(tmp_path / n) for n in ("novel.txt", "history.json", "empty", "gone.csv"))]
    assert main([*words, "--tracking-uri", store, "--json"]) == 2
    out, err = capsys.readouterr()
    assert [run["format"] for run in json.loads(out)] == ["Keras history (CSV or JSON)"]
    assert all(word in err for word in ("novel.txt", "empty holds no", "gone.csv cannot be read"))
    assert "stormy" not in err


def test_an_archive_is_told_from_a_folder_of_logs(tmp_path, store):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.jsonl").touch()
    [problem] = import_paths([tmp_path / "a"], "old", store).problems
    assert "tracker archive import" in problem
