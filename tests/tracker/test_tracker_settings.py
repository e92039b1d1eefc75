"""Which endpoint, key and store a session takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import InputError
from tracker.jobrecords import records
from tracker.mlflow_store import MlflowStore
from tracker.providers import NAMES, find, guess
from tracker.settings import settings
from tracker.store import artifact_root, found_uri, home, spool_path, sqlite_path, store_uri

ADDRESSES = {
    "https://api.openai.com/v1": "openai",
    "https://my.openai.azure.com/openai/v1/": "azure",
    "https://my.services.ai.azure.com/openai/v1/": "azure",
    "https://api.tokenfactory.nebius.com/v1/": "nebius",
    "https://api.together.xyz/v1": "together",
    "https://api.fireworks.ai": "fireworks",
    "http://127.0.0.1:8321/v1": "onprem",
    "http://localhost:9/v1": "onprem",
    "https://litellm.example.com/v1": "compatible",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_provider_is_known_by_its_address(address):
    assert guess(address).name == ADDRESSES[address]


def test_arguments_win_over_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://one.example.com/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert settings().base_url == "https://one.example.com/v1"
    assert settings("https://two.example.com/v1").base_url == "https://two.example.com/v1"


def test_each_provider_has_its_own_key(monkeypatch):
    monkeypatch.setenv("NEBIUS_API_KEY", "n")
    assert settings(provider="nebius").api_key == "n"
    with pytest.raises(InputError, match="TOGETHER_API_KEY"):
        settings(provider="together")


def test_loopback_needs_no_key():
    assert settings("http://127.0.0.1:1/v1").api_key


def test_a_key_is_never_shown():
    assert "secret" not in repr(settings("http://127.0.0.1:1/v1", "secret"))


def test_the_host_is_free_of_secrets():
    assert settings("http://user:pass@127.0.0.1:1/v1?key=x").host == "127.0.0.1:1"


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_file_is_complete(name):
    provider = find(name)
    assert provider.auto
    assert provider.title
    assert {"n_epochs", "batch_size"} <= set(provider.limits)
    assert provider.requests_per_second > 0


@pytest.mark.parametrize("provider", ["openai", "azure", "compatible"])
@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("davinci-002", 0.2),
        ("babbage-002", 0.2),
        ("ft:davinci-002:org::id", 0.2),
        ("adapted", 10),
        ("gpt-4o-mini", 10),
        (None, 10),
    ],
)
def test_legacy_models_are_searched_on_their_own_scale(provider, model, most):
    assert find(provider).space(model)["learning_rate_multiplier"] == {"min": 0.02, "max": most}


class TestStore:
    def test_the_nearest_mlruns_folder_is_the_home(self, tmp_path, monkeypatch):
        (tmp_path / "mlruns").mkdir()
        below = tmp_path / "a/b"
        below.mkdir(parents=True)
        monkeypatch.chdir(below)
        assert home() == (tmp_path / "mlruns").resolve()
        assert store_uri() == f"sqlite:///{(tmp_path / 'mlruns').resolve()}/mlflow.db"

    def test_the_environment_wins(self, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:1")
        assert store_uri() == "http://host:1"
        assert artifact_root(store_uri()) is None

    def test_the_store_that_mlflow_makes_by_itself_is_found_where_there_is_no_other(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        (tmp_path / "mlflow.db").touch()
        assert found_uri() == f"sqlite:///{tmp_path.resolve()}/mlflow.db"
        assert store_uri() == f"sqlite:///{tmp_path.resolve()}/mlruns/mlflow.db"  # and never written to
        (tmp_path / "mlruns").mkdir()
        (tmp_path / "mlruns" / "mlflow.db").touch()
        assert found_uri() == store_uri() == f"sqlite:///{tmp_path.resolve()}/mlruns/mlflow.db"

    def test_the_other_store_is_named_where_nothing_is_found(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        MlflowStore(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
        (tmp_path / "mlflow.db").touch()
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with pytest.raises(InputError, match=f"MLFLOW_TRACKING_URI=sqlite:///{tmp_path}/mlflow.db, which is"):
            records(experiment="any")

    def test_a_store_that_is_not_there_is_said_to_be_none(self, tmp_path):
        with pytest.raises(InputError, match=f"There is no store {tmp_path}/no.db"):
            records(experiment="any", tracking_uri=f"sqlite:///{tmp_path}/no.db")

    def test_what_a_folder_of_files_needs_is_said(self, tmp_path, monkeypatch):
        monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
        with pytest.raises(InputError, match="MLFLOW_ALLOW_FILE_STORE=true"):
            records(experiment="any", tracking_uri=f"file://{tmp_path}")

    def test_the_spool_lies_beside_a_local_store(self, tmp_path):
        uri = f"sqlite:///{tmp_path}/x/mlflow.db"
        assert sqlite_path(uri) == Path(f"{tmp_path}/x/mlflow.db")
        assert spool_path(uri) == tmp_path / "x/spool.db"
