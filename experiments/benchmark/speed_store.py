"""A local MLflow store of many runs: a loop of eight jobs, written by MLflow itself, and copies of it by SQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EXPERIMENT = "many"
CHILDREN = 8
# Run by another process: nothing here imports MLflow.
WRITE = """
import sys, mlflow
from mlflow.entities import Metric, Param, RunTag
client = mlflow.MlflowClient()
experiment = client.create_experiment(sys.argv[1])
parent = client.create_run(experiment, run_name="loop").info.run_id
for n in range(int(sys.argv[2])):
    tags = {"mlflow.parentRunId": parent, "job.id": f"ftjob-{n}", "job.status": "succeeded"}
    run = client.create_run(experiment, run_name=f"job {n}", tags=tags).info.run_id
    knobs = {"n_epochs": 3 + n % 3, "batch_size": 8, "learning_rate_multiplier": 0.25 * 2 ** (n % 5)}
    about = {"model": "embedded-tiny", "provider": "onprem", "n_train_examples": 500, "n_valid_examples": 100}
    points = [Metric("train_loss", 1 + 2 / s, 1760000000000 + s, s) for s in range(1, 31)]
    points += [Metric("full_valid_loss", 1.1 + 2 / s + 0.01 * n, 1760000000000 + s, s) for s in (10, 20, 30)]
    points.append(Metric("base_valid_loss", 3.2, 1760000000000, 0))
    client.log_batch(run, points, [Param(k, str(v)) for k, v in (knobs | about).items()])
    client.set_terminated(run, "FINISHED")
client.set_terminated(parent, "FINISHED")
print(experiment, parent)
"""
TABLES = ("runs", "params", "metrics", "latest_metrics", "tags")


@dataclass(frozen=True)
class Store:
    """Where it is, and the loop that MLflow wrote itself."""

    uri: str
    experiment_id: str
    parent: str


def store_of(runs: int, folder: Path) -> Store:
    """Make a SQLite store of `runs` runs in `folder`, all of one experiment."""
    path = folder / "mlflow.db"
    env = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{path}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    words = [sys.executable, "-c", WRITE, EXPERIMENT, str(CHILDREN)]
    done = subprocess.run(words, check=True, env=env, cwd=folder, capture_output=True, text=True)
    experiment, parent = done.stdout.split()[-2:]
    with sqlite3.connect(path) as database:
        copy(database, max(runs // (CHILDREN + 1) - 1, 0))
    database.close()
    return Store(env["MLFLOW_TRACKING_URI"], experiment, parent)


def copy(database: sqlite3.Connection, times: int) -> None:
    """Copy every run of the database so many times, children with their parents."""
    old = [row[0] for row in database.execute("select run_uuid from runs")]
    database.execute("create temp table renamed (old text, new text, copy int, primary key (old, copy))")
    named = ((run, f"{n:08x}{run[8:]}", n) for n in range(times) for run in old)
    database.executemany("insert into renamed values (?, ?, ?)", named)
    for table in TABLES:
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        parent = "coalesce((select p.new from renamed p where p.old = t.value and p.copy = r.copy), t.value)"
        change = {"run_uuid": "r.new"} | ({"value": parent} if table == "tags" else {})
        picked = ", ".join(change.get(c, f"t.{c}") for c in columns)
        database.execute(
            f"insert into {table} ({', '.join(columns)}) select {picked} from {table} t join renamed r on t.run_uuid = r.old"
        )
