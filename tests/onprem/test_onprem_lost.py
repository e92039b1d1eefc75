"""A worker that has lost its job to another: nothing that it does thereafter reaches the job."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402

from onprem.store import events as event_rows  # noqa: E402
from onprem.store import jobs as job_rows  # noqa: E402
from onprem.training.job_record import JobRecord  # noqa: E402
from onprem.training.job_run import JobRun  # noqa: E402
from onprem.training.reporter import Reporter  # noqa: E402
from onprem.training.tasks import SupervisedTask  # noqa: E402


@pytest.fixture
def bench(tmp_path):
    torch.set_num_threads(1)
    return Bench(tmp_path)


def hand_over(bench, status="running", worker="successor"):
    with bench.db.transaction() as connection:
        job_rows.update(connection, "ftjob-0", worker=worker, status=status)


def before(monkeypatch, where, name, deed):
    plain = getattr(where, name)

    def changed(*args, **kwargs):
        deed(*args)
        return plain(*args, **kwargs)

    monkeypatch.setattr(where, name, changed)


def test_it_does_not_fail_its_successors_job(bench, monkeypatch):
    def broken(_):
        hand_over(bench)
        raise RuntimeError("the folder was taken away")

    monkeypatch.setattr(JobRun, "_prepare", broken)
    job = bench.run(n_epochs=1)
    assert (job["status"], job["worker"], job["error"]) == ("running", "successor", None)


def test_it_neither_diverges_nor_ends_its_successors_job(bench, monkeypatch):
    for end in ("diverged", "succeeded"):
        before(monkeypatch, JobRecord, end, lambda *_: hand_over(bench))
    job = bench.run(n_epochs=1, batch_size=24)
    assert (job["status"], job["worker"], job["fine_tuned_model"]) == ("running", "successor", None)


@pytest.mark.parametrize("step", [0, 2, 4])
def test_a_validation_cut_short_is_not_told(bench, monkeypatch, step):
    validations = iter([0, 2, 4])

    def lose(_, __, rows, **kwargs):
        if len(rows) == 60 and next(validations) == step:
            hand_over(bench)

    before(monkeypatch, SupervisedTask, "scores", lose)
    bench.run(n_epochs=2, batch_size=12)
    told = [d["step"] for d in event_rows.metrics(bench.db, "ftjob-0")]
    # Steps are told some at a time, so the last before the loss may be missing: the successor repeats them.
    assert told == list(range(len(told)))
    assert {0: 0, 2: 1, 4: 3}[step] <= len(told) <= step
    steps = {row["step"] for row in bench.db.all("select step from checkpoints")}
    assert steps == ({2} if step == 4 else set())
    assert not bench.db.all("select 1 from files where purpose = 'fine-tune-results'")


def test_a_cancel_in_the_last_validation_leaves_no_result_files_and_no_passing_checkpoint(bench, monkeypatch):
    def cancel(_, __, rows, **kwargs):
        if len(rows) == 60 and event_rows.at_step(bench.db, "ftjob-0", 0):
            hand_over(bench, "cancelled", "w")

    before(monkeypatch, SupervisedTask, "scores", cancel)
    job = bench.run(n_epochs=1, batch_size=12)
    assert (job["status"], job["error"], job["worker"]) == ("cancelled", None, None)
    assert not bench.db.all("select 1 from files where purpose = 'fine-tune-results'")
    assert not list(bench.folder.job("ftjob-0").glob("checkpoint-*"))


def test_a_failed_job_keeps_nothing_but_its_models(bench, monkeypatch):
    def burst(self, args, state, control, **kwargs):
        if state.global_step == 3:
            (bench.folder.job("ftjob-0") / "checkpoint-3").mkdir()  # half written
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Reporter, "on_step_begin", burst)
    job = bench.run(n_epochs=2, batch_size=12)
    assert (job["status"], job["error"]["code"]) == ("failed", "disk_full")
    (kept,) = bench.folder.job("ftjob-0").glob("checkpoint-*")
    assert kept.name == "checkpoint-2"
    assert (kept / "model.safetensors").exists()
    assert not (kept / "optimizer.pt").exists()
