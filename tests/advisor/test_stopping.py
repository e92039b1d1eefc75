"""When a loop is told to stop: too little expected, of enough jobs, and the more of them the more each must promise."""

import numpy as np
import pytest

from advisor.propose.acquire import Worth
from advisor.propose.observe import END, Observations
from advisor.propose.stopping import ALONE, EXPECTED, FEWEST, MOST, stop_reason


def ended(count, best=0):
    """Jobs that all ended alike, but for the better one at place `best`."""
    loss = np.where(np.arange(count) == best, 1.0, 1.1)
    nought = np.zeros(count)
    return Observations(
        np.zeros((count, 3)), nought, loss, np.full(count, END), nought == 0, np.arange(count), nought, 2.0
    )


def promising(share):
    """Two settings, the better of which is expected to bring this share of the gain."""
    return Worth(np.array([0.0, share]), np.array([0.0, 0.3]), np.array([1.2, 1.1]))


FREE = np.array([True, True])


@pytest.mark.parametrize(("prior", "fewest"), [(True, FEWEST), (False, ALONE)])
def test_no_loop_stops_before_enough_jobs_have_ended(prior, fewest):
    little = promising(EXPECTED / 2)
    before, after = (stop_reason(little, FREE, ended(n, best=n - 1), prior) for n in (fewest - 1, fewest))
    assert before is None
    assert f"{EXPECTED / 2:.1%}" in after


def test_a_gain_that_matters_is_worth_another_job():
    assert stop_reason(promising(2 * EXPECTED), FREE, ended(FEWEST, best=FEWEST - 1)) is None


def test_each_further_job_must_promise_more():
    promise = promising(5 * EXPECTED)
    assert stop_reason(promise, FREE, ended(FEWEST + 4)) is None
    assert stop_reason(promise, FREE, ended(FEWEST + 5))


def test_many_useless_jobs_are_no_reason_to_stop_where_much_may_be_had():
    assert stop_reason(promising(1.1 * MOST), FREE, ended(FEWEST + 40)) is None


def test_what_is_expected_of_a_taken_setting_keeps_no_loop_going():
    assert stop_reason(promising(0.5), np.array([True, False]), ended(FEWEST))


def test_a_space_without_a_free_setting_says_so_at_once():
    assert "has been tried" in stop_reason(promising(0.5), ~FREE, ended(1))
