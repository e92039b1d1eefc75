"""Jobs handed to a launcher: one process, several on torchrun, and a Ray cluster of two nodes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from onprem_server import Server, chat_rows, metrics, run_job, told, upload, wait_for

pytest.importorskip("trl")

SUMMED_OTHERWISE = (
    0.01  # the same rows in each step, but sums of fp32 in another order, which 12 steps of Adam spread
)
HYPERPARAMETERS = {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 1.0}
ONE = "{python} -m onprem.workers.one {data_dir} {job} {worker}"
TORCHRUN = f"{sys.executable} -m torch.distributed.run --standalone --nproc-per-node 2 -m onprem.workers.one"


def ends_like_a_local_job(client, reference, rows=50, **close):
    files = upload(client, chat_rows(rows)), upload(client, chat_rows(20, 500))
    job = run_job(
        client, *files, hyperparameters=HYPERPARAMETERS, seconds=600
    )  # Ray starts for a minute when busy
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


@pytest.fixture(scope="module")
def shared_evenly(client, valid_file):
    """A job whose epochs end with a full batch: of a smaller one, two processes take some rows twice."""
    job = run_job(client, upload(client, chat_rows(48)), valid_file, hyperparameters=HYPERPARAMETERS)
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
def test_two_processes_on_torchrun_train_as_one(tmp_path, shared_evenly):
    server = Server(
        tmp_path, "--engine", "command", "--command", TORCHRUN + " {data_dir} {job} {worker}"
    ).start()
    try:
        client = server.client()
        files = ends_like_a_local_job(client, shared_evenly, rows=48, rel=SUMMED_OTHERWISE)
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
def test_a_ray_cluster_of_two_nodes_finishes_a_job(tmp_path, shared_evenly):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    options = ("--engine", "ray", "--ray-address", cluster.address, "--ray-workers", "2")
    server = Server(tmp_path, *options).start()
    try:
        ends_like_a_local_job(server.client(), shared_evenly, rows=48, rel=SUMMED_OTHERWISE)
    finally:
        server.stop()
        cluster.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(("patience", "told"), [(1000, [0, 2]), (3, [])])
def test_a_model_shared_out_among_processes_is_evaluated_by_all_of_them(patience, told):
    """One alone would wait for the others for ever; also where the job is cancelled between two batches."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = Path(__file__).with_name("sharded.py")
    run = subprocess.run(
        [*command, str(script), str(patience)], capture_output=True, text=True, timeout=600,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(script.parent)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    data = json.loads(run.stdout.splitlines()[-1])
    assert [d["step"] for d in data] == told
    if told:
        assert len({d["full_valid_loss"] for d in data}) == 1, "the same weights"
        assert {"valid_loss", "train_loss"} <= set(data[1])
        assert data[0]["full_valid_loss"] == pytest.approx(alone(), rel=1e-5)  # fp32, summed by shards


def alone() -> float:
    from onprem.registry import EMBEDDED
    from onprem.training.evaluate import evaluate, total
    from onprem.training.loading import load_model, load_tokenizer
    from onprem.training.rows_to_tokens import RowTokenizer

    tokenizer = load_tokenizer(EMBEDDED)
    rows = RowTokenizer(tokenizer, 512)
    examples = [rows.example(i, json.loads(line)) for i, line in enumerate(chat_rows(9).splitlines())]
    return total(evaluate(load_model(EMBEDDED), examples, tokenizer.pad_token_id)).loss


@pytest.mark.parametrize(
    ("addresses", "url", "warned"),
    [(["10.0.0.1", "10.0.0.1"], "", False), (["10.0.0.1", "10.0.0.2"], "", True), (["a", "b"], "postgresql://x", False)],
)  # fmt: skip
def test_a_cluster_of_several_machines_is_warned_of_sqlite(tmp_path, monkeypatch, addresses, url, warned):
    from test_onprem_queue import queue

    from onprem.store import Database, DataFolder
    from onprem.workers import on_ray

    monkeypatch.setenv("ONPREM_DATABASE", url)
    nodes = [{"NodeManagerAddress": address, "Alive": True} for address in addresses]
    nodes.append({"NodeManagerAddress": "gone", "Alive": False})
    assert on_ray.store_is_out_of_reach(nodes) is warned
    monkeypatch.delenv("ONPREM_DATABASE")
    db = Database(DataFolder.at(tmp_path).database)
    queue(db, "ftjob-1")
    on_ray.tell(str(tmp_path), "ftjob-1", "out_of_reach", on_ray.OUT_OF_REACH)
    assert "PostgreSQL" in db.one("select message from events where level = 'warn'")["message"]


def test_a_checkpoint_without_whole_weights_is_no_checkpoint(tmp_path):
    from onprem.training import checkpoint
    from onprem.training.errors import JobError
    from onprem.training.job_record import JobRecord

    checkpoint.folder_of(tmp_path, 3).mkdir()
    (checkpoint.folder_of(tmp_path, 3) / "pytorch_model_fsdp.bin").write_bytes(b"x")
    with pytest.raises(JobError, match="FULL_STATE_DICT") as refused:
        JobRecord(None, {}, {}, tmp_path).saved(3, ends_epoch=True)
    assert refused.value.code == "launch_failed"
    assert not checkpoint.steps(tmp_path)


@pytest.mark.parametrize("options", [(), ("--engine", "ray"), ("--engine", "command", "--ray-workers", "2")])
def test_sharing_out_on_ray_that_could_not_be_is_refused(tmp_path, capsys, options):
    from onprem.cli import main

    assert main(["serve", "--ray-fsdp", *options, "--data-dir", str(tmp_path)]) == 2
    assert "--ray-fsdp goes with --engine ray and at least 2 --ray-workers" in capsys.readouterr().err
