"""Pause, kill -9, dead workers and shutdown: every event once, and the end that an undisturbed job has."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from onprem_server import Server, chat_rows, metrics, run_job, told, upload, wait_for

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="looks at processes in Linux's /proc"
)

HYPERPARAMETERS = {"n_epochs": 4, "batch_size": 4, "learning_rate_multiplier": 1.0}
STEPS = 4 * 15  # 60 rows


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("interrupted")


@pytest.fixture(scope="module")
def own(data_dir):
    """A server of this module's own, since it is killed; its uploads and its undisturbed job."""
    server = Server(data_dir).start()
    client = server.client()
    files = upload(client, chat_rows(60)), upload(client, chat_rows(20, 500))
    undisturbed = run_job(client, *files, hyperparameters=HYPERPARAMETERS)
    assert undisturbed.status == "succeeded"
    yield server, files, metrics(client, undisturbed.id)
    server.stop()


def create(client, files):
    job = client.fine_tuning.jobs.create(
        model="embedded-tiny", training_file=files[0], validation_file=files[1], seed=7,
        hyperparameters=HYPERPARAMETERS,
    )  # fmt: skip
    return job.id


def past(client, job_id, step, ended_too=False):
    """Wait until the job has told `step` or a later one, or has ended."""

    def reached(job) -> bool:
        newest = client.fine_tuning.jobs.list_events(job_id, limit=5).data
        told = any(event.type == "metrics" and event.data["step"] >= step for event in newest)
        return told or (ended_too and job.status == "succeeded")

    wait_for(client, job_id, reached)


def same_end(client, job_id, expected):
    """The job ends as the undisturbed one did, with each event once."""
    assert wait_for(client, job_id).status == "succeeded"
    assert metrics(client, job_id) == expected
    keys = [(e.type, e.message) for e in told(client, job_id)]
    assert len([k for k in keys if k[0] == "metrics"]) == STEPS + 1
    steps = [c.step_number for c in client.fine_tuning.jobs.checkpoints.list(job_id)]
    assert steps == [60, 45, 30, 15]
    once = [
        m
        for t, m in keys
        if t == "message" and "Going on" not in m and "paused" not in m and "resumed" not in m
    ]
    assert len(once) == len(set(once))
    assert told(client, job_id)[-1].message == "The job has successfully completed"


def test_pause_keeps_the_step_and_resume_goes_on(own, data_dir):
    server, files, expected = own
    client = server.client()
    job_id = create(client, files)
    past(client, job_id, 20)
    assert client.fine_tuning.jobs.pause(job_id).status == "paused"
    time.sleep(1.0)
    at_rest = len(told(client, job_id))
    time.sleep(0.5)
    assert len(told(client, job_id)) == at_rest, "nothing happens while paused"
    assert client.fine_tuning.jobs.resume(job_id).status in ("queued", "running")
    same_end(client, job_id, expected)
    deadline = time.monotonic() + 10  # the worker tidies up once the success is told
    while (data_dir / "jobs" / job_id / "checkpoint-60" / "optimizer.pt").exists():
        assert time.monotonic() < deadline, "what only going on needs is still there"
        time.sleep(0.05)
    kept = sorted(path.name for path in (data_dir / "jobs" / job_id).glob("checkpoint-*"))
    assert kept == ["checkpoint-15", "checkpoint-30", "checkpoint-45", "checkpoint-60"], (
        "the pause's own is gone"
    )


def test_kill_of_the_server_in_the_middle_of_an_epoch(own):
    server, files, expected = own
    client = server.client()
    job_id = create(client, files)
    past(client, job_id, 22)
    (worker,) = workers_of(server)
    server.kill()
    gone(worker)
    client = server.start().client()
    same_end(client, job_id, expected)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_kills(own):
    """Most at a random instant of training, some while the server or its worker starts, some about a job's end."""
    server, files, expected = own
    draw = random.Random(0)
    client = server.client()
    job_id = create(client, files)
    for _ in range(30):
        if draw.random() < 0.8:
            newest = max((d["step"] for d in metrics(client, job_id)), default=-1)
            past(client, job_id, min(newest + 1, STEPS), ended_too=True)
        time.sleep(draw.uniform(0.0, 3.0))
        server.kill()
        client = server.start().client()
        if client.fine_tuning.jobs.retrieve(job_id).status == "succeeded":
            same_end(client, job_id, expected)
            job_id = create(client, files)
    same_end(client, job_id, expected)


def workers_of(server: Server) -> list[int]:
    """Process ids of the server's training workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [
        int(pid) for pid in children if b"onprem.workers.train" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_a_worker_that_dies_is_replaced_and_the_job_goes_on(own):
    server, files, expected = own
    client = server.client()
    job_id = create(client, files)
    past(client, job_id, 18)
    (worker,) = workers_of(server)
    os.kill(worker, signal.SIGKILL)
    same_end_of_died(client, job_id, expected)


def same_end_of_died(client, job_id, expected):
    assert wait_for(client, job_id).status == "succeeded"
    assert metrics(client, job_id) == expected
    warned = [e for e in told(client, job_id) if e.level == "warn"]
    assert ["died" in e.message for e in warned] == [True]


def gone(pid: int) -> None:
    """The process ends by itself within seconds."""
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, "the worker outlived its server"
        time.sleep(0.05)


def test_a_graceful_stop_finishes_the_step_and_loses_none(own):
    server, files, expected = own
    client = server.client()
    job_id = create(client, files)
    past(client, job_id, 5)
    assert server.stop() == 0
    client = server.start().client()
    same_end(client, job_id, expected)
    went_on = [e.message for e in told(client, job_id) if "Going on" in e.message]
    assert len(went_on) == 1
    assert int(went_on[0].split()[-1]) >= 5, (
        "it went on from the step it was stopped at, not from the last epoch"
    )
