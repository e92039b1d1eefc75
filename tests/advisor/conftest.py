"""What several tests of the advisor are given."""

import json

import pytest
from tell_jobs import SPACE, history


@pytest.fixture
def jobs_file(tmp_path):
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps({"jobs": history(), "space": SPACE}))
    return str(path)
