"""Two other ways of getting an account into MLflow, to compare ``tracker sync`` with: honest, and no faster than written.

W&B's service cannot be reached from here, so its logger is rewritten from its source's behaviour onto the same MLflow
store: one page of jobs, each waited for until it has succeeded, its result table logged row by row, its training data
logged as a table. W&B's own back end takes rows faster than MLflow does; how much of a history each way keeps is the same.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import openai

from tracker.mlflow_client import metrics
from tracker.mlflow_store import MlflowStore

NAMES = ("train_loss", "train_mean_token_accuracy")


async def naive(url: str, store: MlflowStore, jobs: int) -> int:
    """What a script of twenty lines does: the client's own paging, one ``log_metric`` per value."""
    points = 0
    async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
        for k in range(jobs):
            run_id = store.create_run("naive", str(k), {}, 0)
            async for event in client.fine_tuning.jobs.list_events(f"ftjob-{k}"):
                for name in NAMES:
                    at = 1000 * event.created_at
                    store.client.log_metric(run_id, name, event.data[name], at, event.data["step"])
                    points += 1
    return points


async def weights_and_biases(url: str, store: MlflowStore, jobs: int) -> int:
    """W&B's way, for the first jobs of its one page; return the number of points it logged."""
    points = 0
    async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
        page = (
            await client.fine_tuning.jobs.list()
        ).data  # one page: what stands on the others is never seen
        for job in page[:jobs]:
            while job.status not in ("succeeded", "failed", "cancelled"):
                await asyncio.sleep(10)
                job = await client.fine_tuning.jobs.retrieve(job.id)
            if job.status != "succeeded":
                continue
            run_id = store.create_run("wandb", job.id, {}, 0)
            table = (await client.files.content(job.result_files[0])).text
            for row in csv.DictReader(io.StringIO(table)):
                values = [
                    [key, int(row["step"]), float(row[key]), 0] for key in row if key != "step" and row[key]
                ]
                store.client.log_batch(run_id, metrics=metrics(values))
                points += len(values)
            lines = (await client.files.content(job.training_file)).text.splitlines()
            _log_table(store, run_id, [json.loads(line)["messages"] for line in lines])
    return points


def _log_table(store: MlflowStore, run_id: str, rows: list[list[dict[str, str]]]) -> None:
    if any(len(row) != 3 for row in rows):  # what its logger asserts; the table is lost, the run goes on
        return
    store.log_text(run_id, "table.json", json.dumps([[turn["content"] for turn in row] for row in rows]))


def store_in(folder: Path) -> MlflowStore:
    """Return a store of its own, opened."""
    return MlflowStore(f"sqlite:///{folder}/mlflow.db")
