"""Beyond what tables and jobs tell there is no forecast: twice their epochs and batch sizes, 90 times the usual rate."""

import numpy as np
import pytest
from propose_jobs import LISTS, job

from advisor.nouns import SearchSpace
from advisor.propose.known import beyond
from advisor.propose.task import understand


@pytest.mark.parametrize(
    ("inside", "outside", "knob"),
    [
        ((24, 8, 0.4), (25, 8, 0.4), "n_epochs"),
        ((3, 64, 0.4), (3, 65, 0.4), "batch_size"),
        ((3, 2, 0.4), (3, 1.9, 0.4), "batch_size"),
        ((3, 8, 90), (3, 8, 91), "learning_rate_multiplier"),
        ((3, 8, 0.0045), (3, 8, 0.0044), "learning_rate_multiplier"),
    ],
)
def test_the_bounds_of_what_is_known(inside, outside, knob):
    task = understand([job()], SearchSpace.from_record(LISTS))
    assert beyond(np.array(inside, float), task, "learning_rate_multiplier") == {}
    told = beyond(np.array(outside, float), task, "learning_rate_multiplier")
    assert told == {knob: outside[("n_epochs", "batch_size", "learning_rate_multiplier").index(knob)]}


def test_what_a_job_tried_is_known():
    task = understand([job(epochs=40, batch=128)], SearchSpace.from_record(LISTS))
    assert beyond(np.array([80.0, 256.0, 0.4]), task, "learning_rate_multiplier") == {}
