"""What a setting is worth: what it may take off the best loss so far, and what it may end worse by."""

from types import SimpleNamespace

import numpy as np
import pytest

from advisor.propose.acquire import worth
from advisor.propose.engine import _score
from advisor.propose.mixture import Prediction
from advisor.propose.prior import shipped
from advisor.propose.surfaces import flat_library

BEST, FLOOR, GAIN = 1.6, 1.0, 1.0  # of a loss of 2 before tuning


def forecast(mean, sd):
    """One guess at the task, and what it says of each setting on its scale."""
    one = np.ones(1)
    return Prediction(np.array([mean]), np.array([sd]), one, FLOOR * one, GAIN * one)


def test_what_is_won_and_what_is_lost_make_up_the_expected_loss():
    some = worth(forecast([-1.0, -0.5, -0.2], [0.1, 0.3, 0.6]), BEST)
    assert some.worsening - some.improvement == pytest.approx((some.mean - BEST) / GAIN)
    assert (some.worsening >= 0).all()
    assert (np.diff(some.worsening) > 0).all()


def first(some, library=None):
    return np.argmax(_score(some, np.ones(2), SimpleNamespace(library=library or shipped())))


def test_of_two_that_promise_alike_the_safer_goes_first():
    some = worth(forecast([-0.9, -0.1], [0.2, 1.0]), BEST)
    some.improvement[:] = 0.05
    assert first(some) == 0
    assert first(some, flat_library()) == 0


def test_what_promises_much_is_tried_though_it_may_end_badly():
    some = worth(forecast([-0.5, -0.3], [0.01, 1.0]), BEST)
    assert some.improvement[1] > some.improvement[0]
    assert first(some) == 1


def test_without_earlier_tasks_what_promises_more_goes_first_whatever_is_at_risk():
    some = worth(forecast([-0.9, -0.1], [0.2, 1.0]), BEST)
    some.improvement[:] = 0.05, 0.051
    assert (first(some), first(some, flat_library())) == (0, 1)
