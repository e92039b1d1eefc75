"""A job's life as the plain `openai` client sees it, on real training."""

import csv
import io
import json
import math

import openai
import pytest
from onprem_server import chat_rows, metrics, run_job, strictly, told, upload, wait_for
from openai.types import FileObject
from openai.types.completion import Completion
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

STEPS, EPOCH = 21, 7


def test_job_is_resolved_named_and_counted(finished):
    strictly(FineTuningJob, finished)
    assert finished.hyperparameters.to_dict() == {
        "n_epochs": 3,
        "batch_size": 8,
        "learning_rate_multiplier": 1.0,
    }
    assert finished.method.supervised.hyperparameters.batch_size == 8
    assert finished.fine_tuned_model == f"ft:embedded-tiny:personal:first-one:{finished.id[6:14]}"
    assert finished.trained_tokens > 50 * 3 * 10
    assert finished.created_at <= finished.finished_at
    assert finished.metadata == {"team": "a"}


def test_events_tell_the_whole_story_in_order(client, finished):
    events = told(client, finished.id)
    for event in events:
        strictly(FineTuningJobEvent, event)
    messages = [event.message for event in events if event.type == "message"]
    assert messages[0] == f"Created fine-tuning job: {finished.id}"
    assert messages[2:4] == ["Files validated, moving job to queued state", "Fine-tuning job started"]
    assert messages[4:] == [
        *(f"Checkpoint created at step {step}" for step in (7, 14, 21)),
        f"New fine-tuned model created: {finished.fine_tuned_model}",
        "The job has successfully completed",
    ]


def test_metrics_have_every_step_once(client, finished):
    data = metrics(client, finished.id)
    assert [d["step"] for d in data] == list(range(STEPS + 1))
    assert data[0].keys() == {"step", "total_steps", "full_valid_loss"}
    for d in data[1:]:
        assert d["total_steps"] == STEPS
        assert 0 < d["train_loss"] < 10
        assert 0 <= d["train_mean_token_accuracy"] <= 1
        assert ("full_valid_loss" in d) == (d["step"] % EPOCH == 0)
    assert sum("valid_loss" in d for d in data) >= 5
    full = [d["full_valid_loss"] for d in data if "full_valid_loss" in d]
    assert full[-1] < full[0], "training lowered the loss"


def test_event_pages_go_back_from_the_newest(client, finished):
    first = client.fine_tuning.jobs.list_events(finished.id, limit=10)
    assert len(first.data) == 10
    assert first.has_more
    assert first.data[0].message == "The job has successfully completed"
    second = client.fine_tuning.jobs.list_events(finished.id, limit=10, after=first.data[-1].id)
    assert not {e.id for e in first.data} & {e.id for e in second.data}
    assert len({e.id for e in told(client, finished.id)}) == len(told(client, finished.id))


def test_checkpoints_carry_their_metrics(client, finished):
    checkpoints = client.fine_tuning.jobs.checkpoints.list(finished.id).data
    for checkpoint in checkpoints:
        strictly(FineTuningJobCheckpoint, checkpoint)
    assert [c.step_number for c in checkpoints] == [21, 14, 7]
    assert [c.fine_tuned_model_checkpoint for c in checkpoints] == [
        f"{finished.fine_tuned_model}:ckpt-step-{step}" for step in (21, 14, 7)
    ]
    by_step = {d["step"]: d for d in metrics(client, finished.id)}
    for c in checkpoints:
        assert c.metrics.full_valid_loss == by_step[c.step_number]["full_valid_loss"]
        assert c.metrics.train_loss == by_step[c.step_number]["train_loss"]


def test_result_csv_agrees_with_the_events(client, finished):
    text = client.files.content(finished.result_files[0]).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    by_step = {d["step"]: d for d in metrics(client, finished.id)}
    assert [int(row["step"]) for row in rows] == list(range(1, STEPS + 1))
    for row in rows:
        data = by_step[int(row["step"])]
        assert float(row["train_loss"]) == data["train_loss"]
        assert row["valid_loss"] == ("" if "valid_loss" not in data else str(data["valid_loss"]))


def test_validation_examples_add_up_to_the_full_loss(client, finished):
    rows = [json.loads(line) for line in client.files.content(finished.result_files[1]).text.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, 21))
    tokens = sum(row["trained_tokens"] for row in rows)
    loss = sum(row["loss"] * row["trained_tokens"] for row in rows) / tokens
    last = client.fine_tuning.jobs.checkpoints.list(finished.id).data[0]
    assert loss == pytest.approx(last.metrics.full_valid_loss, rel=1e-9)
    assert "number" not in client.files.content(finished.result_files[1]).text, "no text of the user"


def test_same_seed_same_losses_and_another_seed_others(client, finished, train_file, valid_file):
    hp = {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0}
    again = run_job(client, train_file, valid_file, hyperparameters=hp)
    other = run_job(client, train_file, valid_file, hyperparameters=hp, seed=8)
    assert metrics(client, again.id) == metrics(client, finished.id)
    assert metrics(client, other.id)[1:] != metrics(client, finished.id)[1:]


def test_auto_is_returned_resolved(client, train_file):
    job = client.fine_tuning.jobs.create(model="embedded-tiny", training_file=train_file)
    assert job.status == "validating_files"
    assert job.hyperparameters.n_epochs == "auto"
    job = wait_for(client, job.id, lambda job: job.status != "validating_files")
    assert isinstance(job.hyperparameters.n_epochs, int)
    assert isinstance(job.hyperparameters.batch_size, int)
    assert job.hyperparameters.learning_rate_multiplier > 0
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert told(client, job.id)[-1].message == "The job was cancelled"


def test_completion_rows_train_and_complete(client):
    rows = b"".join(b'{"prompt": "one two", "completion": " three four"}\n' for _ in range(16))
    job = run_job(client, upload(client, rows), hyperparameters={"n_epochs": 8, "batch_size": 4}, suffix="c")
    assert job.status == "succeeded"
    answer = client.completions.create(
        model=job.fine_tuned_model, prompt="one two", max_tokens=8, temperature=0
    )
    strictly(Completion, answer)
    assert answer.choices[0].text == " three four"
    assert answer.choices[0].finish_reason == "stop"


def test_a_loss_that_stays_non_finite_fails_as_diverged(client, train_file, valid_file):
    hp = {"n_epochs": 5, "batch_size": 8, "learning_rate": 1000.0, "weight_decay": 10.0}
    job = run_job(client, train_file, valid_file, extra_body={"hyperparameters": hp})
    assert job.status == "failed"
    assert job.error.code == "diverged"
    data = metrics(client, job.id)
    assert data[-1]["train_loss"] is None
    assert data[-1]["nonfinite"] in ("nan", "inf")
    assert all(math.isfinite(d["train_loss"]) for d in data[1:2])
    assert [d["step"] for d in data] == list(range(len(data)))


def test_jobs_are_listed_by_page_and_by_metadata(client, finished, train_file):
    marked = run_job(
        client,
        train_file,
        hyperparameters={"n_epochs": 1, "batch_size": 50},
        metadata={"team": "b", "k": "1"},
    )
    assert [j.id for j in client.fine_tuning.jobs.list(metadata={"team": "b"})] == [marked.id]
    assert finished.id in [j.id for j in client.fine_tuning.jobs.list(metadata={"team": "a"})]
    every = [j.id for j in client.fine_tuning.jobs.list(limit=2)]
    assert len(every) == len(set(every))
    assert every.index(marked.id) < every.index(finished.id), "newest first"


def test_files_live_and_die(client, finished):
    content = chat_rows(3)
    file = client.files.create(
        file=("keep.jsonl", content),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    strictly(FileObject, file)
    assert file.expires_at == file.created_at + 3600
    assert file.bytes == len(content)
    assert client.files.content(file.id).content == content
    assert client.files.retrieve(file.id).filename == "keep.jsonl"
    assert file.id in [f.id for f in client.files.list(purpose="fine-tune")]
    assert finished.result_files[0] in [f.id for f in client.files.list(purpose="fine-tune-results", limit=2)]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_async_client_lives_the_same_life(server, train_file):
    import asyncio

    async def life() -> str:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
            job = await client.fine_tuning.jobs.create(
                model="embedded-tiny",
                training_file=train_file,
                hyperparameters={"n_epochs": 1, "batch_size": 50},
            )
            while job.status not in ("succeeded", "failed"):
                await asyncio.sleep(0.1)
                job = await client.fine_tuning.jobs.retrieve(job.id)
            events = [event async for event in client.fine_tuning.jobs.list_events(job.id, limit=3)]
            assert len(events) == len({event.id for event in events})
            stream = await client.chat.completions.create(
                model=job.fine_tuned_model,
                messages=[{"role": "user", "content": "Hi"}],
                max_tokens=3,
                stream=True,
            )
            assert [chunk async for chunk in stream]
            return job.status

    assert asyncio.run(life()) == "succeeded"
