"""An MLflow store of its own for each test, and the provider full of oddities that the tracker is tested against."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tracker"))  # where the quirk server lives


@pytest.fixture
def store(tmp_path):
    """The URI of a fresh store."""
    (tmp_path / "mlruns").mkdir()
    return f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
