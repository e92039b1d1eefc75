"""An MLflow that does not answer: every command says where it was looked for and what to do, and soon."""

from __future__ import annotations

import json
import socket
import time

import pytest

from advisor.cli import main as advisor
from tracker.cli import main as tracker

SOON_S = 20  # two connections that are refused at once take a second; the rest is for a busy machine


@pytest.fixture
def nowhere():
    """The address of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"  # bound and not listening: connections are refused


@pytest.mark.parametrize(
    "argv",
    [["recommend", "--experiment", "x"], ["recommend", "x"], ["diagnose", "x"], ["report", "x"]],
    ids=" ".join,
)
def test_the_advisor_names_the_address_and_a_remedy(nowhere, argv, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@{nowhere}")
    began = time.monotonic()
    assert advisor(argv) == 1
    told = capsys.readouterr().err
    assert f"MLflow at http://{nowhere} does not answer" in told
    assert "MLFLOW_TRACKING_URI=" in told
    assert "secret" not in told
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("command", ["import", "models", "compare", "promote"])
def test_so_does_the_tracker_without_its_libraries_retries(nowhere, command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "jobs.json"
    log.write_text(json.dumps([{"hyperparameters": {"n_epochs": 1}, "full_valid_loss": [[1, 2.0]]}]))
    rest = {"import": [str(log)], "models": [], "compare": ["a", "b"], "promote": ["a", "--name", "b"]}[
        command
    ]
    assert tracker([command, *rest, "--tracking-uri", f"http://{nowhere}"]) == 1
    told = capsys.readouterr().err
    assert f"MLflow at http://{nowhere} does not answer" in told
    assert "Retrying" not in told
