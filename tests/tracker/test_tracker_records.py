"""MLflow runs as job records, by SQL and by MLflow's client alike."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time

import pytest

import tracker
from tracker.errors import InputError
from tracker.mlflow_reader import MlflowReader
from tracker.mlflow_store import MlflowStore
from tracker.points import Point
from tracker.runs import PARENT, reader
from tracker.tuning import KIND_TAG, NAME_TAG


@pytest.fixture
def store(uri):
    return MlflowStore(uri)


def job(store, number: int, parent: str | None = None, experiment: str = "exp") -> str:
    tags = {"job.id": f"ftjob-{number}", "job.status": "succeeded", "finetune_advisor.job": f"k-{number}"}
    run_id = store.create_run(
        experiment, f"job {number}", tags | ({PARENT: parent} if parent else {}), 1000 * number
    )
    store.log_params(run_id, {"n_epochs": "3", "learning_rate_multiplier": "0.5", "seed": "7", "model": "m"})
    points = [Point("train_loss", k, 2.0 / k, 1000 * k) for k in (1, 2, 3)]
    store.log_points(
        run_id, [*points, Point("base_valid_loss", 0, 3.0, 5), Point("train_loss", 4, float("nan"), 9)]
    )
    return run_id


def test_a_parent_means_its_children_a_child_its_loop_up_to_it_a_lone_run_itself(store, uri):
    parent = store.create_run("exp", "loop", {KIND_TAG: "loop", NAME_TAG: "L"}, 1)
    children = [job(store, number, parent) for number in (1, 2, 3)]
    lone = job(store, 9)

    def ids(run_id):
        return [record["run_id"] for record in tracker.records(run_id=run_id, tracking_uri=uri)]

    assert ids(parent) == children
    assert ids(children[1]) == children[:2]
    assert ids(lone) == [lone]
    assert ids("ftjob-2") == children[:2]
    assert [r["run_id"] for r in tracker.records("exp", tracking_uri=uri)] == [*children, lone]


def test_a_record_is_strict_json_with_typed_values(store, uri):
    job(store, 1)
    (record,) = tracker.records("exp", tracking_uri=uri)
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again["hyperparameters"] == {"n_epochs": 3, "learning_rate_multiplier": 0.5}
    assert again["train_loss"] == [[1, 2.0], [2, 1.0], [3, 2.0 / 3], [4, "NaN"]]
    assert (again["base_valid_loss"], again["seed"], again["created_at"], again["key"]) == (
        3.0,
        7,
        1.0,
        "k-1",
    )


def test_sql_and_client_read_the_same(store, uri):
    parent = store.create_run("exp", "loop", {KIND_TAG: "loop", NAME_TAG: "L"}, 1)
    runs = [job(store, 1, parent), job(store, 2)]
    sql = reader(uri)
    asked = [
        {},
        {"experiment": "exp"},
        {"run_ids": runs},
        {"tag": (PARENT, parent)},
        {"tag": ("job.id", None)},
        {"experiment": "no"},
    ]
    for arguments in asked:
        assert sql.runs(**arguments) == store.runs(**arguments)
    for ask in ("curves", "latest"):
        by_sql, by_client = (json.dumps(getattr(each, ask)(runs), sort_keys=True) for each in (sql, store))
        assert by_sql == by_client


def test_runs_of_other_loggers_are_read_by_their_own_names(store, uri):
    run_id = store.create_run("hf", "trainer", {}, 0)
    store.log_points(
        run_id, [Point("loss", 10, 2.0, 1), Point("eval_loss", 10, 2.5, 1), Point("grad_norm", 10, 1.0, 1)]
    )
    store.log_params(run_id, {"num_train_epochs": "3", "learning_rate": "2e-05"})
    (record,) = tracker.records("hf", tracking_uri=uri)
    assert record["train_loss"] == [[10, 2.0]]
    assert record["full_valid_loss"] == [[10, 2.5]]
    assert record["hyperparameters"]["n_epochs"] == 3


def theirs(store, experiment, name, at=1):
    run_id = store.create_run(experiment, name, {}, at)
    store.log_points(run_id, [Point("loss", 10, 2.0, 1), Point("eval_loss", 10, 2.5, 1)])
    return run_id


def test_ended_runs_that_logged_no_curve_are_no_jobs_where_others_are(store, uri):
    lone = store.create_run("lone", "scores", {}, 1)
    store.set_status(lone, "FINISHED", 2)
    assert len(tracker.records("lone", tracking_uri=uri)) == 1
    trained, scored = (store.create_run("exp", name, {}, at) for name, at in (("trained", 1), ("scored", 2)))
    store.log_points(trained, [Point("loss", k, 2.0 / k, k) for k in (1, 2, 3)])
    store.log_points(scored, [Point("auc", 0, 0.9, 5)])
    for run_id in (trained, scored):
        store.set_status(run_id, "FINISHED", 9)
    failed = store.create_run("exp", "failed", {}, 3)
    store.set_status(failed, "FAILED", 9)
    told = []
    found = tracker.records("exp", tracking_uri=uri, tell=told.append)
    assert [r["run_id"] for r in found] == [trained, failed]
    silent = store.create_run("exp", "job", {"job.id": "ftjob-1", "job.status": "succeeded"}, 4)
    assert silent in [r["run_id"] for r in tracker.records("exp", tracking_uri=uri)], (
        "a provider may report no curve"
    )
    assert [word for word in told if "logged no loss" in word and "scored" in word]


@pytest.mark.parametrize("client", [False, True], ids=["SQL", "client"])
def test_a_run_is_found_again_by_the_name_that_its_record_shows(store, uri, client, monkeypatch):
    if client:
        monkeypatch.setattr("tracker.jobrecords.reader", MlflowReader)
    run_id = theirs(store, "hf", "bold fox (2)")
    theirs(store, "hf", "bold fox (2)", at=5)
    first, second = tracker.records("hf", tracking_uri=uri)
    assert first["id"] == f"bold fox (2) ({run_id[:8]})"
    for shown in (first, second):
        assert tracker.records(run_id=shown["id"], tracking_uri=uri) == [shown]
    assert tracker.records(run_id="bold fox (2)", tracking_uri=uri) == [first, second]
    with pytest.raises(InputError, match="has no runs of"):
        tracker.records(run_id="bold fox (2) (00000000)", tracking_uri=uri)


def test_runs_of_one_name_in_several_experiments_are_no_one_history(store, uri):
    theirs(store, "chat", "baseline")
    run_id = theirs(store, "my code", "baseline", at=5)
    with pytest.raises(
        InputError, match=f"2 experiments have runs called 'baseline': 'chat', 'my code'.*{run_id}"
    ):
        tracker.records(run_id="baseline", tracking_uri=uri)
    assert len(tracker.records(run_id=run_id, tracking_uri=uri)) == 1


def test_deleted_runs_are_not_read(store, uri):
    keep, gone = job(store, 1), job(store, 2)
    store.client.delete_run(gone)
    assert [record["run_id"] for record in tracker.records("exp", tracking_uri=uri)] == [keep]


@pytest.mark.parametrize(
    "arguments", [{}, {"experiment": "a", "run_id": "b"}, {"experiment": "none"}, {"run_id": "none"}]
)
def test_what_cannot_be_read_is_said(arguments, uri):
    with pytest.raises(InputError):
        tracker.records(**arguments, tracking_uri=uri)


def test_ten_thousand_runs_are_read_without_mlflow_in_a_moment(store, uri):
    run_id = job(store, 1)
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as db:
        copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
        columns = [row[1] for row in db.execute("PRAGMA table_info(runs)") if row[1] != "run_uuid"]
        db.execute(
            f"INSERT INTO runs (run_uuid, {', '.join(columns)}) {copies} SELECT 'copy' || i, {', '.join(columns)} FROM n, runs WHERE run_uuid = ?",
            [run_id],
        )
        for table in ("params", "tags"):
            db.execute(
                f"INSERT INTO {table} (key, value, run_uuid) {copies} SELECT key, value, 'copy' || i FROM n, {table} WHERE run_uuid = ?",
                [run_id],
            )
        db.execute(f"INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) {copies} SELECT key, value, timestamp, 'copy' || i, step, is_nan FROM n, metrics WHERE run_uuid = ?", [run_id])  # fmt: skip
    code = (
        "import sys, time, tracker; begun = time.process_time(); "
        f"found = tracker.records('exp', tracking_uri={uri!r}); "
        "print(len(found), time.process_time() - begun, 'mlflow' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert (out[0], out[2]) == ("10000", "False")
    assert float(out[1]) < 2.0  # seconds of this process, so that a busy machine does not decide


def test_a_single_run_of_many_is_read_at_once(store, uri):
    run_id = job(store, 1)
    begun = time.process_time()
    tracker.records(run_id=run_id, tracking_uri=uri)
    assert time.process_time() - begun < 0.2


def test_a_file_that_is_no_store_is_refused_by_name(tmp_path):
    junk, bare = tmp_path / "junk.db", tmp_path / "bare.db"
    junk.write_text("no database " * 100)
    with sqlite3.connect(bare) as db:
        db.execute("CREATE TABLE other (x)")
    for path in (junk, bare):
        with pytest.raises(InputError, match=rf"{path.name} is no MLflow store .*MLFLOW_TRACKING_URI"):
            tracker.records(experiment="exp", tracking_uri=f"sqlite:///{path}")
