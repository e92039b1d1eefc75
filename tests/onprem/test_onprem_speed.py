"""How much the server costs: beside a bare TRL run, and beside a job that trains. Prints its figures (pytest -s)."""

import json
import os
import statistics
import time

import pytest
from onprem_server import Server, chat_rows, upload, wait_for

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402

pytestmark = pytest.mark.slow

ROWS, EPOCHS, BATCH, RUNS = 200, 3, 8, 3


def served(bench) -> float:
    """CPU seconds of one job, from its claim to its release, as the training worker runs it."""
    begun = time.process_time()
    assert bench.run(n_epochs=EPOCHS, batch_size=BATCH)["status"] == "succeeded"
    return time.process_time() - begun


def bare(folder) -> float:
    """CPU seconds of the same job in a plain script: TRL's SFTTrainer, evaluating and saving each epoch."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from onprem.registry import EMBEDDED
    from onprem.training.loading import load_model, load_tokenizer
    from onprem.training.rows_to_tokens import RowTokenizer

    begun = time.process_time()
    tokenizer = load_tokenizer(EMBEDDED)
    rows = RowTokenizer(tokenizer, 512)
    sets = []
    for text in (chat_rows(ROWS), chat_rows(60, 5000)):
        examples = [rows.example(i, json.loads(line)) for i, line in enumerate(text.splitlines())]
        columns = {"input_ids": [e.input_ids for e in examples], "labels": [e.labels for e in examples]}
        sets.append(Dataset.from_dict(columns))
    config = SFTConfig(
        output_dir=str(folder), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, learning_rate=4e-4,
        logging_steps=1, eval_strategy="epoch", eval_on_start=True, save_strategy="epoch", report_to="none", disable_tqdm=True,
        bf16=False, gradient_checkpointing=False, use_cpu=True, dataloader_pin_memory=False, max_length=512,
        dataset_kwargs={"skip_prepare_dataset": True}, seed=1,
    )  # fmt: skip
    SFTTrainer(
        model=load_model(EMBEDDED), args=config, train_dataset=sets[0], eval_dataset=sets[1],
        processing_class=tokenizer,
    ).train()  # fmt: skip
    return time.process_time() - begun


def test_a_job_takes_hardly_more_than_a_bare_trl_run(tmp_path, capsys):
    """CPU time, since other processes on the machine do not change it; alternating, the first pair warms up."""
    torch.set_num_threads(1)
    bench = Bench(tmp_path / "served", ROWS)
    pairs = [(served(bench), bare(tmp_path / f"bare{i}")) for i in range(RUNS + 1)][1:]
    ratios = [b / s for s, b in pairs]
    with capsys.disabled():
        print(
            f"\nthroughput of a job over a bare run: {statistics.median(ratios):.3f} of {sorted(ratios)}, n = {RUNS}"
        )
    assert statistics.median(ratios) >= 0.95


def test_the_api_stays_quick_while_a_job_trains(tmp_path, capsys):
    server = Server(tmp_path).start()
    try:
        client = server.client()
        file_id, valid_id = upload(client, chat_rows(2000)), upload(client, chat_rows(200, 5000))
        job = client.fine_tuning.jobs.create(
            model="embedded-tiny", training_file=file_id, validation_file=valid_id,
            hyperparameters={"n_epochs": 50, "batch_size": 8},
        )  # fmt: skip
        wait_for(client, job.id, lambda job: job.status == "running")
        routes = {
            "retrieve": lambda: client.fine_tuning.jobs.retrieve(job.id),
            "events": lambda: client.fine_tuning.jobs.list_events(job.id),
            "checkpoints": lambda: client.fine_tuning.jobs.checkpoints.list(job.id),
            "jobs": lambda: client.fine_tuning.jobs.list(),
            "files": lambda: client.files.list(),
            "models": lambda: client.models.list(),
        }
        times = []
        for _ in range(100):
            for name, call in routes.items():
                begun = time.perf_counter()
                call()
                times.append((time.perf_counter() - begun, name))
        p99 = sorted(times)[int(0.99 * len(times))]
        begun = time.perf_counter()
        stream = client.chat.completions.create(
            model="embedded-tiny", messages=[{"role": "user", "content": "Hi"}], stream=True, max_tokens=5
        )
        next(iter(stream))
        first_token = time.perf_counter() - begun
        client.fine_tuning.jobs.cancel(job.id)
        with capsys.disabled():
            print(f"\np99 of {len(times)} calls while training: {1000 * p99[0]:.1f} ms ({p99[1]}); "
                  f"median {1000 * statistics.median(t for t, _ in times):.1f} ms; first token {first_token:.2f} s")  # fmt: skip
        if os.getloadavg()[0] > 2 * os.cpu_count():
            pytest.skip(
                "other processes keep this machine busy: the figures above say nothing about the server"
            )
        assert p99[0] < 0.050
        assert first_token < 5
    finally:
        server.stop()
