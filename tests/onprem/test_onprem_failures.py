"""A full disk, memory that runs out, a model that is gone: an error on the job, and the next job runs."""

import errno
import math
import sqlite3
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402

from onprem.store import jobs as job_rows  # noqa: E402
from onprem.training import checkpoint, memory  # noqa: E402
from onprem.training.job_run import JobRun  # noqa: E402
from onprem.training.reporter import Reporter  # noqa: E402


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("bench"))


def breaks(error):
    def broken(*args, **kwargs):
        raise error

    return broken


FAILURES = {
    "disk full": (checkpoint, "seal", OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
    "quota used up": (checkpoint, "seal", OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
    "disk full inside a library": (checkpoint, "seal", RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
    "GPU memory": (Reporter, "on_train_begin", torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
    "main memory": (Reporter, "on_train_begin", RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
    "model gone": (JobRun, "_prepare", LookupError("the model m is no longer registered"), "model_not_available"),
    "a bug": (JobRun, "_prepare", KeyError("zebra-secret"), "internal_error"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_what_goes_wrong_is_told_with_a_code_and_the_worker_lives_on(bench, monkeypatch, caplog, case):
    where, name, error, code = FAILURES[case]
    with monkeypatch.context() as patched:
        patched.setattr(where, name, breaks(error))
        job = bench.run(n_epochs=1)
    assert (job["status"], job["error"]["code"], job["worker"]) == ("failed", code, None)
    assert "zebra-secret" not in job["error"]["message"] + caplog.text
    assert bench.db.one("pragma integrity_check")["integrity_check"] == "ok"


def test_the_next_job_succeeds(bench):
    assert bench.run(n_epochs=1)["status"] == "succeeded"


def test_a_model_that_cannot_fit_is_refused_before_it_is_loaded(bench, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    job = bench.run(n_epochs=1)
    assert (job["status"], job["error"]["code"]) == ("failed", "insufficient_memory")
    assert "0.0 GB are free" in job["error"]["message"]


@pytest.mark.parametrize(
    ("n_params", "lora", "gigabytes"), [(1e9, None, 20.0), (8e9, {"r": 16}, 42.4), (0.135e9, None, 2.7)]
)
def test_memory_is_4_bytes_a_weight_and_12_more_where_it_is_trained(n_params, lora, gigabytes):
    assert memory.needed(int(n_params), lora) == pytest.approx(gigabytes * 1e9, rel=1e-3)


def test_a_checkpoint_without_its_seal_is_not_gone_on_from(tmp_path):
    for step, sealed in ((5, True), (7, True), (10, False)):
        folder = checkpoint.folder_of(tmp_path, step)
        folder.mkdir()
        for name in ("model.safetensors", "trainer_state.json", "optimizer.pt"):
            (folder / name).write_text("x")
        if sealed:
            checkpoint.seal(tmp_path, step)
    found = checkpoint.newest(tmp_path, kept={5, 10})
    assert found == checkpoint.folder_of(tmp_path, 7), "the one of a pause, whole"
    assert not checkpoint.folder_of(tmp_path, 10).exists()
    assert not (checkpoint.folder_of(tmp_path, 5) / "optimizer.pt").exists(), (
        "only the newest can be gone on from"
    )
    assert (checkpoint.folder_of(tmp_path, 5) / "model.safetensors").exists()
    checkpoint.drop_passing(tmp_path, kept={5})
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint-5"]


@pytest.mark.parametrize("losses", [[1.0, math.nan, 1.0, math.nan, math.nan, 1.0], [math.inf, math.inf, 1.0]])
def test_a_loss_that_recovers_is_no_divergence(bench, monkeypatch, losses):
    seen = iter(losses)
    plain = Reporter.on_log

    def odd(self, args, state, control, logs=None, **more):
        plain(
            self,
            args,
            state,
            control,
            logs={**logs, "loss": next(seen, 1.0)} if "loss" in logs else logs,
            **more,
        )

    monkeypatch.setattr(Reporter, "on_log", odd)
    assert bench.run(n_epochs=4, batch_size=8)["status"] == "succeeded"


def test_a_half_written_checkpoint_gives_way_to_what_is_told_of_a_full_disk(bench, monkeypatch):
    told = job_rows.fail

    def where_there_is_room(db, job_id, *arguments, **more):
        if any(bench.folder.job(job_id).glob("checkpoint-*/*")):
            raise sqlite3.OperationalError("database or disk is full")
        return told(db, job_id, *arguments, **more)

    monkeypatch.setattr(checkpoint, "seal", breaks(OSError(errno.ENOSPC, "No space left on device")))
    monkeypatch.setattr(job_rows, "fail", where_there_is_room)
    assert bench.run(n_epochs=1)["error"]["code"] == "disk_full"


def test_files_that_are_gone_from_the_disk_are_told_by_name(bench):
    weights = bench.run(n_epochs=1)["fine_tuned_model"]
    path = Path(bench.db.one("select path from models where name = ?", weights)["path"])
    (path / "model.safetensors").rename(bench.folder.root / "kept")
    job = bench.run(model=weights, n_epochs=1)
    assert job["error"]["code"] == "model_not_available"
    assert f"The files of the model {weights} are gone" in job["error"]["message"]
    content = bench.folder.file("valid")
    content.rename(bench.folder.root / "valid")
    try:
        job = bench.run(n_epochs=1)
    finally:
        (bench.folder.root / "valid").rename(content)
    assert (job["error"]["code"], job["error"]["param"]) == ("invalid_validation_file", "validation_file")
    assert "Upload it again" in job["error"]["message"]
