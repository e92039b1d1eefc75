"""What the real Hugging Face Trainer leaves behind, read by every way there is: all of them tell the same run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tracker.jobrecords import records
from tracker.readers import read

SCRIPT = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
torch.set_num_threads(1)
size = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
model = LlamaForCausalLM(LlamaConfig(vocab_size=50, max_position_embeddings=32, **size))
rows = [{"input_ids": (ids := torch.randint(0, 50, (16,))), "labels": ids} for _ in range(40)]
args = TrainingArguments(output_dir=sys.argv[1], num_train_epochs=3, per_device_train_batch_size=4,
    gradient_accumulation_steps=2, learning_rate=1e-3, logging_steps=2, eval_strategy="epoch", eval_on_start=True,
    save_strategy="epoch", report_to=["mlflow", "tensorboard"], seed=3, use_cpu=True, lr_scheduler_type="cosine")
trainer = Trainer(model, args, train_dataset=rows, eval_dataset=rows[:8])
trainer.train()
trainer.save_state()
trainer.create_model_card()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("transformers", reason="the extra onprem")
    pytest.importorskip("tensorboard", reason="the extra tensorboard")
    folder = tmp_path_factory.mktemp("real")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    env = os.environ | {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_EXPERIMENT_NAME": "real",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "console.txt").open("w") as log:
        words = [sys.executable, "-c", SCRIPT, str(folder / "out")]
        subprocess.run(
            words, env=env, stdout=log, stderr=subprocess.STDOUT, check=True, timeout=240, cwd=folder
        )
    return folder, uri


@pytest.mark.slow
def test_every_source_tells_the_same(run):
    folder, uri = run
    found = {
        "trainer_state.json": read(folder / "out")[0],
        "checkpoint": read(folder / "out" / "checkpoint-15")[0],
        "console": read(folder / "console.txt")[0],
        "TensorBoard": read(next((folder / "out" / "runs").iterdir()))[0],
        "MLflow": records(experiment="real", tracking_uri=uri)[0],
    }
    wanted = found["trainer_state.json"]
    assert wanted["hyperparameters"] == {"n_epochs": 3, "batch_size": 8, "learning_rate": 0.001}
    assert (wanted["n_train_examples"], wanted["steps_per_epoch"], wanted["status"]) == (40, 5, "succeeded")
    for source, record in found.items():
        for field in ("train_loss", "full_valid_loss"):
            assert [step for step, _ in record[field]] == [step for step, _ in wanted[field]], source
            # the console rounds to four digits
            assert [v for _, v in record[field]] == pytest.approx([v for _, v in wanted[field]], rel=2e-4), (
                source
            )
        assert record["base_valid_loss"] == pytest.approx(wanted["base_valid_loss"], rel=2e-4), source
        assert record["steps_per_epoch"] == 5, source
        assert record["hyperparameters"]["n_epochs"] == 3, source
        assert record["hyperparameters"]["batch_size"] == 8, source
