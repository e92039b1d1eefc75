"""What the tracker's tests share: a store of their own, a provider of their own, two small data files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from at_hand import asker, chats
from quirks import Quirks, QuirkServer

from tracker.session import Session


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, address, store or .env of the machine reaches a test."""
    for name in (
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
        "ONPREM_API_KEY",
        "MLFLOW_TRACKING_URI",
        "TRACKER_PRICES",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlruns/mlflow.db"


@pytest.fixture
def db(uri: str) -> Callable[..., list]:
    """Asks the store's database."""

    return asker(uri)


@pytest.fixture
def serve() -> Iterator[Callable[..., QuirkServer]]:
    """Starts providers; stops them at the end."""
    servers: list[QuirkServer] = []

    def start(quirks: Quirks | None = None, **options: object) -> QuirkServer:
        servers.append(QuirkServer(quirks, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def open_session(uri: str) -> Iterator[Callable[..., Session]]:
    """Opens sessions on the test's store; closes them at the end."""
    sessions: list[Session] = []

    def start(server: QuirkServer, provider: str | None = None, base_url: str | None = None) -> Session:
        sessions.append(Session(base_url or server.url, "test-key", provider, uri))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close(10)


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return chats(tmp_path / "train.jsonl", 5)


@pytest.fixture
def valid(tmp_path: Path) -> Path:
    return chats(tmp_path / "valid.jsonl", 2)
