"""DPO, LoRA, packing, weights and absolute rates, through the plain client."""

import json
import math

import pytest
from onprem_server import chat_rows, jsonl, metrics, preference_rows, run_job, upload


@pytest.fixture(scope="module")
def preferences(client):
    return upload(client, preference_rows(32)), upload(client, preference_rows(8, first=500))


@pytest.mark.parametrize("lora", [False, True])
def test_dpo_starts_at_ln_2_and_learns_the_preference(client, preferences, lora):
    hp = {"n_epochs": 3, "batch_size": 8, "learning_rate": 2e-3, "beta": 0.5, "lora": lora}
    method = {"type": "dpo", "dpo": {"hyperparameters": hp}}
    job = run_job(client, *preferences, extra_body={"method": method})
    assert job.status == "succeeded", job.error
    assert job.method.dpo.hyperparameters.beta == 0.5
    data = metrics(client, job.id)
    assert data[0]["full_valid_loss"] == pytest.approx(math.log(2), rel=1e-6), (
        "the model is its own reference"
    )
    assert data[1]["train_loss"] == pytest.approx(math.log(2), rel=1e-4)
    assert data[-1]["full_valid_loss"] < 0.5 * math.log(2)
    assert data[-1]["full_valid_reward_accuracy"] == 1.0
    assert data[-1]["train_reward_margin"] > 0
    answer = client.chat.completions.create(
        model=job.fine_tuned_model, messages=[{"role": "user", "content": "What is number 3?"}], max_tokens=5
    )
    assert answer.usage.completion_tokens > 0


def test_lora_trains_an_adapter_that_chats_merged(client, server, train_file, valid_file):
    hp = {"n_epochs": 2, "batch_size": 8, "lora_r": 4, "learning_rate_multiplier": 2.0}
    job = run_job(client, train_file, valid_file, extra_body={"hyperparameters": hp})
    assert job.status == "succeeded", job.error
    assert job.hyperparameters.to_dict()["lora_r"] == 4
    folder = server.data_dir / "jobs" / job.id / "checkpoint-14"
    assert (folder / "adapter_model.safetensors").exists()
    assert not (folder / "model.safetensors").exists()
    again = run_job(
        client, train_file, valid_file, model=job.fine_tuned_model, hyperparameters={"n_epochs": 1}
    )
    last = client.fine_tuning.jobs.checkpoints.list(job.id).data[0].metrics.full_valid_loss
    merged = metrics(client, again.id)[0]["full_valid_loss"]
    assert merged == pytest.approx(last, rel=1e-4), "merging the adapter changes no loss"


def test_absolute_rate_is_the_multiplier_times_the_base_rate(client, train_file):
    by_multiplier = run_job(
        client, train_file, hyperparameters={"n_epochs": 1, "learning_rate_multiplier": 2.0}
    )
    from onprem.auto import base_learning_rate

    rate = 2.0 * base_learning_rate(0, 128)
    body = {"hyperparameters": {"n_epochs": 1, "learning_rate": rate}}
    by_rate = run_job(client, train_file, extra_body=body)
    assert by_rate.hyperparameters.learning_rate_multiplier == pytest.approx(2.0)
    losses = [[d["train_loss"] for d in metrics(client, job.id)] for job in (by_multiplier, by_rate)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


def test_turns_of_weight_0_are_not_learned(client):
    """Two files that differ only in an unlearned answer score differently; in which tokens count, not at all."""

    def row(i, weight):
        said = [
            ("user", f"Say {i}"),
            ("assistant", "nonsense zzz qqq"),
            ("user", "Again"),
            ("assistant", f"{i}"),
        ]
        messages = [{"role": role, "content": text} for role, text in said]
        messages[1]["weight"] = weight
        return {"messages": messages}

    train = upload(client, chat_rows(8))
    tokens = []
    for weight in (0, 1):
        valid = upload(client, jsonl(row(i, weight) for i in range(4)))
        job = run_job(client, train, valid, hyperparameters={"n_epochs": 1, "batch_size": 8})
        lines = client.files.content(job.result_files[1]).text.splitlines()
        tokens.append(json.loads(lines[0])["trained_tokens"])
    assert tokens[0] == 2, "one digit and the end of the turn"
    assert tokens[1] > tokens[0] + 5


def test_packing_takes_fewer_steps(client, train_file, valid_file):
    hp = {"n_epochs": 1, "batch_size": 1, "packing": True, "max_length": 256}
    job = run_job(client, train_file, valid_file, extra_body={"hyperparameters": hp})
    assert job.status == "succeeded", job.error
    steps = metrics(client, job.id)[-1]["total_steps"]
    assert steps < 25, f"50 rows of about 20 tokens fit into few sequences of 256, not {steps}"
