"""How much the server costs: beside a bare TRL run, and beside a job that trains. Prints its figures (pytest -s)."""

import contextlib
import json
import statistics
import time
from pathlib import Path

import pytest
from onprem_server import Server, chat_rows, metrics, upload, wait_for

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402

pytestmark = pytest.mark.slow

ROWS, EPOCHS, BATCH, RUNS = 200, 3, 8, 3
LOOKS = 50  # at each route
WAITS_ARE_TOLD = pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(), reason="Linux tells how long a thread waits for a core"
)


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


def queued_seconds(*processes: int) -> float:
    """Seconds that the threads of these processes were ready to run and waited for a core, as Linux counts them."""
    waited = 0
    for process in processes:
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                waited += int((task / "schedstat").read_text().split()[1])
    return waited / 1e9


def own_seconds(call, *processes: int) -> float:
    """Seconds that a call took, less those for which a core was given to others: what an unshared machine would take.

    This thread and those of the processes that answer work one after the other, so that their waits add up.
    """
    theirs, ours, begun = queued_seconds(*processes), queued_here(), time.perf_counter()
    call()
    took = time.perf_counter() - begun
    return max(0.0, took - (queued_here() - ours) - (queued_seconds(*processes) - theirs))


def queued_here() -> float:
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def inference_worker(server: int) -> int:
    """The process that answers chats."""
    pids = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return next(
        int(pid) for pid in pids if b"onprem.workers.infer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


@pytest.fixture
def training(tmp_path):
    """A server whose first job has just begun to train."""
    server = Server(tmp_path).start()
    client = server.client().with_options(timeout=300)
    files = upload(client, chat_rows(2000)), upload(client, chat_rows(200, 5000))
    job = client.fine_tuning.jobs.create(
        model="embedded-tiny", training_file=files[0], validation_file=files[1],
        hyperparameters={"n_epochs": 50, "batch_size": 8},
    )  # fmt: skip
    wait_for(client, job.id, lambda job: metrics(client, job.id), seconds=600)
    yield server, client, job
    client.fine_tuning.jobs.cancel(job.id)
    server.stop()


@WAITS_ARE_TOLD
def test_the_api_stays_quick_while_a_job_trains(training, capsys):
    server, client, job = training
    made = []

    def send() -> None:
        made.append(upload(client, chat_rows(3)))

    def create_and_cancel() -> None:
        other = client.fine_tuning.jobs.create(model="embedded-tiny", training_file=made[-1])
        client.fine_tuning.jobs.cancel(other.id)

    routes = {
        "retrieve": lambda: client.fine_tuning.jobs.retrieve(job.id),
        "events": lambda: client.fine_tuning.jobs.list_events(job.id),
        "checkpoints": lambda: client.fine_tuning.jobs.checkpoints.list(job.id),
        "jobs": lambda: client.fine_tuning.jobs.list(),
        "upload": send,
        "create and cancel": create_and_cancel,
        "file": lambda: client.files.retrieve(made[-1]),
        "content": lambda: client.files.content(made[-1]),
        "files": lambda: client.files.list(limit=100),
        "delete": lambda: client.files.delete(made.pop()),
        "models": lambda: client.models.list(),
        "model": lambda: client.models.retrieve("embedded-tiny"),
        "metrics": lambda: client.get(server.base_url.replace("/v1", "/metrics"), cast_to=str),
    }
    times = [
        (own_seconds(call, server.process.pid), name)
        for _ in range(LOOKS) for name, call in routes.items()
    ]  # fmt: skip
    assert client.fine_tuning.jobs.retrieve(job.id).status == "running", "it trained all the while"
    p99 = sorted(times)[int(0.99 * len(times))]
    median = statistics.median(t for t, _ in times)
    with capsys.disabled():
        print(
            f"\n{len(times)} calls while training: p99 {1000 * p99[0]:.1f} ms ({p99[1]}), median {1000 * median:.1f} ms"
        )
    assert p99[0] < 0.050


@WAITS_ARE_TOLD
def test_the_first_chat_while_a_job_trains_answers_within_5_seconds(training, capsys):
    """Nobody has chatted with this server yet: its inference worker was started with the training worker."""
    server, client, _ = training

    def first_token() -> None:
        stream = client.chat.completions.create(
            model="embedded-tiny", messages=[{"role": "user", "content": "Hi"}], stream=True, max_tokens=5
        )
        next(iter(stream))

    took = own_seconds(first_token, server.process.pid, inference_worker(server.process.pid))
    with capsys.disabled():
        print(f"\nfirst token of the first chat while training: {took:.2f} s")
    assert took < 5
