"""What several tests of the benchmark are given."""

import pytest

from experiments.benchmark.tables import read_all


@pytest.fixture(scope="module")
def tables():
    return read_all()
