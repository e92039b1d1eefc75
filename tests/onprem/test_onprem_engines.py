"""Jobs handed to a launcher: one process, several on torchrun, and a Ray cluster of two nodes."""

import sys

import pytest
from onprem_server import Server, chat_rows, metrics, run_job, told, upload, wait_for

pytest.importorskip("trl")

HYPERPARAMETERS = {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 1.0}
ONE = "{python} -m onprem.workers.one {data_dir} {job} {worker}"
TORCHRUN = f"{sys.executable} -m torch.distributed.run --standalone --nproc-per-node 2 -m onprem.workers.one"


def ends_like_a_local_job(client, reference, **close):
    files = upload(client, chat_rows(50)), upload(client, chat_rows(20, 500))
    job = run_job(client, *files, hyperparameters=HYPERPARAMETERS)
    assert job.status == "succeeded", job.error
    ours, theirs = metrics(client, job.id), reference
    assert [d["step"] for d in ours] == [d["step"] for d in theirs]
    for name in ("train_loss", "full_valid_loss"):
        pairs = [(a[name], b[name]) for a, b in zip(ours, theirs, strict=True) if name in b]
        assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], **close)
    return files


@pytest.fixture(scope="module")
def reference(client, train_file, valid_file):
    job = run_job(client, train_file, valid_file, hyperparameters=HYPERPARAMETERS)
    return metrics(client, job.id)


@pytest.mark.slow
def test_command_engine_runs_each_job_in_a_process_of_its_own(tmp_path, reference):
    server = Server(tmp_path, "--engine", "command", "--command", ONE).start()
    try:
        client = server.client()
        files = ends_like_a_local_job(client, reference, rel=0)
        job = client.fine_tuning.jobs.create(
            model="embedded-tiny", training_file=files[0], hyperparameters={"n_epochs": 50, "batch_size": 1}
        )
        wait_for(client, job.id, lambda job: told(client, job.id)[-1].type == "metrics")
        assert server.stop() == 0
        client = server.start().client()
        wait_for(client, job.id, lambda job: any("Going on" in e.message for e in told(client, job.id)[-20:]))
        client.fine_tuning.jobs.cancel(job.id)
    finally:
        server.stop()


@pytest.mark.slow
def test_two_processes_on_torchrun_train_as_one(tmp_path, reference):
    server = Server(
        tmp_path, "--engine", "command", "--command", TORCHRUN + " {data_dir} {job} {worker}"
    ).start()
    try:
        client = server.client()
        # Another order of the same rows within a step, and in an epoch's last batch rows taken twice.
        files = ends_like_a_local_job(client, reference, rel=0.2)
        odd = run_job(client, files[0], hyperparameters={"n_epochs": 1, "batch_size": 3})
        assert (odd.status, odd.error.code, odd.error.param) == ("failed", "invalid_batch_size", "batch_size")
    finally:
        server.stop()


@pytest.mark.slow
def test_command_that_cannot_be_run_fails_the_job_and_not_the_server(tmp_path):
    server = Server(
        tmp_path, "--engine", "command", "--command", "/no/such {data_dir} {job} {worker}"
    ).start()
    try:
        client = server.client()
        job = run_job(client, upload(client, chat_rows(8)))
        assert (job.status, job.error.code) == ("failed", "launch_failed")
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.ray
def test_a_ray_cluster_of_two_nodes_finishes_a_job(tmp_path, reference):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    options = ("--engine", "ray", "--ray-address", cluster.address, "--ray-workers", "2")
    server = Server(tmp_path, *options).start()
    try:
        ends_like_a_local_job(server.client(), reference, rel=0.2)
    finally:
        server.stop()
        cluster.shutdown()
