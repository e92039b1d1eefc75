"""Two front ends on one PostgreSQL store and one data folder."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from onprem_server import Server, chat_rows, metrics, run_job, told, upload, wait_for

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.skipif(
        not BINARIES, reason="Debian's PostgreSQL is not installed (apt-get install postgresql)"
    ),
]


@pytest.fixture(scope="module")
def url():
    """A PostgreSQL server in a folder of its own, as an unprivileged user; gone at the end."""
    pytest.importorskip("psycopg", reason="pip install 'finetune-advisor[postgres]'")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # outside pytest's folders, which that user may not enter
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    as_user = {"user": user, "cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([BINARIES[-1] / "initdb", "-D", folder / "data", "-A", "trust", "-U", "onprem"], **as_user)
    control = [BINARIES[-1] / "pg_ctl", "-D", folder / "data", "-w"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], **as_user)
    yield f"postgresql://onprem@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **as_user)
    shutil.rmtree(folder)


@pytest.fixture
def two(url, tmp_path, monkeypatch):
    monkeypatch.setenv("ONPREM_DATABASE", url)
    servers = [Server(tmp_path).start() for _ in range(2)]
    yield servers
    for server in servers:
        server.stop()


def test_two_front_ends_share_files_jobs_and_models(two):
    one, other = (server.client() for server in two)
    files = upload(one, chat_rows(60)), upload(other, chat_rows(20, 500))
    asked = {"hyperparameters": {"n_epochs": 4, "batch_size": 4}, "metadata": {"team": "a"}}
    undisturbed = run_job(one, *files, **asked)
    assert undisturbed.status == "succeeded"
    assert metrics(other, undisturbed.id) == metrics(one, undisturbed.id)
    assert [job.id for job in other.fine_tuning.jobs.list(metadata={"team": "a"})] == [undisturbed.id]
    assert not other.fine_tuning.jobs.list(metadata={"team": "b"}).data
    answer = other.chat.completions.create(
        model=undisturbed.fine_tuned_model, messages=[{"role": "user", "content": "Hi"}], max_tokens=3
    )
    assert answer.usage.completion_tokens > 0

    job = other.fine_tuning.jobs.create(
        model="embedded-tiny", training_file=files[0], validation_file=files[1], seed=7, **asked
    )
    wait_for(one, job.id, lambda job: told(one, job.id)[-1].type == "metrics")
    for server in two:
        server.kill()
    time.sleep(0.5)
    client = two[0].start().client()
    two[1].start()
    assert wait_for(client, job.id, seconds=200).status == "succeeded"
    assert metrics(client, job.id) == metrics(client, undisturbed.id), "each step once, and the same"
