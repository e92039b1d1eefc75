"""The demonstration does what it promises, on each of three seeds."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_kept_model_is_better_than_the_first_job(seed, tmp_path):
    (tmp_path / "mlruns").mkdir()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "demo", "--seed", str(seed), "--json"],
        cwd=tmp_path,
        env=clean | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["jobs"]) == 4
    assert all(job["status"] == "succeeded" for job in result["jobs"])
    assert result["keep"]["full_valid_loss"] < result["jobs"][0]["last_valid_loss"]
    assert (tmp_path / "mlruns" / "mlflow.db").exists()
