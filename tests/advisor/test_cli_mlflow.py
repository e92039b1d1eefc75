"""The advisor's commands on a real MLflow store: reading runs, writing advice back."""

import json
import sqlite3

import pytest

from advisor.cli import main
from tracker.cli import main as tracker

EVALS = (1.9, 1.5, 1.6, 1.9, 2.4, 2.9)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one imported run that overfits: (database, run id)."""
    folder = tmp_path_factory.mktemp("store")
    log = [{"step": 10 * i, "loss": 2.0 / i, "epoch": i, "learning_rate": 1e-4} for i in range(1, 7)]
    log += [{"step": 10 * i, "eval_loss": loss, "epoch": i} for i, loss in enumerate(EVALS, 1)]
    state = folder / "trainer_state.json"
    state.write_text(
        json.dumps({"log_history": log, "num_train_epochs": 6, "max_steps": 60, "train_batch_size": 8})
    )
    database = folder / "mlflow.db"
    uri = f"sqlite:///{database}"
    assert tracker(["import", str(state), "--experiment", "tuning", "--tracking-uri", uri]) == 0
    [(run_id,)] = query(database, "select run_uuid from runs")
    return database, run_id


@pytest.fixture(autouse=True)
def _use(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store[0]}")


def query(database, sql):
    with sqlite3.connect(database) as connection:
        return connection.execute(sql).fetchall()


def tags(database):
    return dict(
        query(
            database, "select key, value from tags where key like 'advisor.%' or key = 'mlflow.note.content'"
        )
    )


def test_a_dry_run_changes_nothing_and_the_real_one_writes_tags_note_and_report(store, capsys):
    database, run_id = store
    assert main(["recommend", run_id, "--dry-run"]) == 0
    assert "FT201" in capsys.readouterr().out
    assert "advisor.diagnosis" not in tags(database)
    assert main(["recommend", "--experiment", "tuning"]) == 0
    written = tags(database)
    assert written["advisor.diagnosis"] == "overfitting"
    assert written["advisor.next"]
    assert "FT201" in written["mlflow.note.content"]
    artifacts = {p.name: p for p in database.parent.rglob("*") if p.is_file()}
    assert json.loads(artifacts["advice.json"].read_text())["diagnosis"]["label"] == "overfitting"
    assert artifacts["report.html"].read_text().startswith("<!doctype html>")


def test_diagnose_and_report_read_the_run(store, capsys, tmp_path):
    assert main(["diagnose", store[1], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["label"] == "overfitting"
    assert main(["report", store[1], "-o", str(tmp_path / "r.html")]) == 0
    assert "FT201" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    "argv", [["recommend", "0" * 32], ["recommend", "--experiment", "nowhere"], ["diagnose", "0" * 32]]
)
def test_an_unknown_run_is_refused_in_one_line(capsys, argv):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert argv[-1] in error
    assert "Traceback" not in error


def test_a_jobs_id_means_its_run(store, capsys):
    database, _ = store
    [(job_id,)] = query(database, "select value from tags where key = 'job.id'")
    with sqlite3.connect(database) as connection:
        connection.execute("delete from tags where key = 'advisor.next'")
    assert main(["recommend", job_id]) == 0
    assert tags(database)["advisor.next"], "written to the run that the job's id stands for"
    assert capsys.readouterr().err == ""


def test_the_name_of_an_experiment_stands_for_its_jobs_where_a_run_is_asked_for(store, capsys):
    assert main(["recommend", "tuning", "--dry-run", "--json"]) == 0
    by_name = json.loads(capsys.readouterr().out)
    assert main(["recommend", "--experiment", "tuning", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == by_name
    assert main(["recommend", "nothing-of-that-name"]) == 2


def test_a_run_of_another_logger_is_asked_for_by_its_name_and_shown_by_it(tmp_path, capsys, monkeypatch):
    import mlflow

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    run = client.create_run(
        client.create_experiment("theirs", str(tmp_path / "a")), run_name="bold-fox-12"
    ).info.run_id
    for epoch, loss in enumerate((2.0, 1.5, 1.3, 1.6), 1):
        client.log_metric(run, "eval_loss", loss, step=10 * epoch)
    client.set_terminated(run)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for name in ("bold-fox-12", "theirs"):  # the run's and the experiment's
        assert main(["recommend", name]) == 0
        assert "MLflow refuses" not in capsys.readouterr().err
        assert client.get_run(run).data.tags["advisor.diagnosis"] == "overfitting"
        client.delete_tag(run, "advisor.diagnosis")
    assert main(["diagnose", "bold-fox-12"]) == 0
    assert f"bold-fox-12 ({run[:8]})" in capsys.readouterr().out
