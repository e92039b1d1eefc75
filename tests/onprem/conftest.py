"""One server for the whole session; a job that several tests look at."""

import pytest
from onprem_server import Server, chat_rows, run_job, upload

from onprem.store import Database, DataFolder

pytest.importorskip("trl", reason="the onprem extra is not installed")

HYPERPARAMETERS = {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1.0}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("onprem")).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server):
    return server.client()


@pytest.fixture(scope="session")
def train_file(client):
    return upload(client, chat_rows(50), "train.jsonl")


@pytest.fixture(scope="session")
def valid_file(client):
    return upload(client, chat_rows(20, first=500), "valid.jsonl")


@pytest.fixture(scope="session")
def finished(client, train_file, valid_file):
    """A succeeded job: 50 examples, 3 epochs of ceil(50 / 8) = 7 steps."""
    job = run_job(
        client, train_file, valid_file, suffix="First One", metadata={"team": "a"},
        method={"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}},
    )  # fmt: skip
    assert job.status == "succeeded", job
    return job


@pytest.fixture
def folder(tmp_path):
    """An empty data folder, with no server over it."""
    return DataFolder.at(tmp_path)


@pytest.fixture
def db(folder):
    return Database(folder.database)
