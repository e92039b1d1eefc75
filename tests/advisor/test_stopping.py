"""When a loop is told to stop: too little expected, after enough jobs of which the latest brought nothing."""

import itertools

import numpy as np
import pytest
from propose_jobs import RANGES, ask, job

from advisor.propose.acquire import Worth
from advisor.propose.observe import END, Observations
from advisor.propose.stopping import (
    ALONE,
    EXPECTED,
    FEWEST,
    HOPED,
    IDLE,
    LOST,
    nothing_left,
    stop_reason,
)


def ended(count, best=0):
    """Jobs that all ended alike, but for the better one at place `best`."""
    loss = np.where(np.arange(count) == best, 1.0, 1.1)
    nought = np.zeros(count)
    return Observations(
        np.zeros((count, 3)),
        nought,
        loss,
        np.full(count, END),
        nought == 0,
        np.arange(count),
        nought,
        nought,
        2.0,
    )


def promising(share):
    """Two settings, the better of which is expected to bring this share of the gain, the other half of it."""
    return Worth(np.array([share / 2, share]), np.zeros(2), np.array([0.1, 0.3]), np.array([1.2, 1.1]), 0.1)


FREE = np.array([True, True])


@pytest.mark.parametrize(("prior", "fewest"), [(True, FEWEST), (False, ALONE)])
def test_no_loop_stops_before_enough_jobs_have_ended(prior, fewest):
    little = promising(EXPECTED / 2)
    before, after = (stop_reason(little, FREE, ended(n), prior) for n in (fewest - 1, fewest))
    assert before is None
    assert "% of the attainable gain" in after


def test_gain_and_chance_are_told_as_they_came_true_and_without_earlier_tasks_as_they_are():
    reasons = [stop_reason(promising(EXPECTED / 2), FREE, ended(ALONE), prior) for prior in (True, False)]
    assert ["is 30%" in reason for reason in reasons] == [False, True]
    assert [f"{EXPECTED / 2:.1%}" in reason for reason in reasons] == [False, True]


def test_the_figures_are_those_of_the_setting_that_is_named():
    told = stop_reason(promising(EXPECTED), FREE, ended(5 * ALONE), False, named=0)
    assert f"{EXPECTED / 2:.1%}" in told
    assert "is 10%" in told


def test_a_gain_that_matters_is_worth_another_job():
    assert stop_reason(promising(0.02), FREE, ended(FEWEST, best=FEWEST - 1 - IDLE)) is None


def test_a_smaller_chance_of_more_keeps_a_loop_going_and_no_reason_promises_enough():
    """Of the likelier gain less is expected to come: 0.5 % of what is missing, and 0.8 % of the other."""
    two = Worth(np.array([0.0085, 0.008]), np.zeros(2), np.array([0.7, 0.15]), np.array([1.1, 1.2]), 0.03)
    jobs = ended(ALONE)
    assert stop_reason(two, FREE, jobs, named=0) is None
    assert "bring 0.5%" in stop_reason(two, np.array([True, False]), jobs, named=0)


def test_many_jobs_are_no_reason_to_stop_by_themselves():
    """They may all have been made far from where they would have had to be."""
    assert stop_reason(promising(0.05), FREE, ended(40)) is None


def test_no_loop_stops_right_after_a_job_that_brought_something():
    little = promising(EXPECTED / 2)
    for vain in range(IDLE):
        assert stop_reason(little, FREE, ended(FEWEST, best=FEWEST - 1 - vain)) is None
    assert stop_reason(little, FREE, ended(FEWEST, best=FEWEST - 1 - IDLE))


def test_jobs_that_bring_nothing_end_a_loop_that_hopes_alone():
    hope, more = promising(0.9 * HOPED), promising(1.1 * HOPED)
    jobs = ended(ALONE + LOST)
    assert stop_reason(hope, FREE, ended(ALONE, best=ALONE - 1 - IDLE), False) is None
    assert stop_reason(hope, FREE, jobs, False)
    assert stop_reason(more, FREE, jobs, False) is None


@pytest.mark.parametrize("prior", [None, False])
@pytest.mark.parametrize(("lowest", "count", "told"), [(2.99, 8, True), (2.99, 7, False), (2.9, 8, False)])
def test_where_nothing_is_learned_whatever_the_setting_the_word_is_to_look_elsewhere(
    prior, lowest, count, told
):
    """The loss before training is 3.0."""
    keys = list(itertools.product((1, 3, 8), (4, 16), (0.2, 0.8)))[:count]
    jobs = [job(e, b, r, ends=(2.995, lowest), name=f"job-{i}") for i, (e, b, r) in enumerate(keys)]
    made, _ = ask(jobs, prior=prior)
    assert ("see whether data and model are right" in (made[0].reason or "")) is told


COLD, SPREAD = 0.01 * 1.3 ** np.arange(8), [0.01, 0.02, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    ("rates", "untold", "told"),
    [(COLD, {}, False), (SPREAD, {}, True), (SPREAD, {"base_valid_loss": None}, False)],
)
def test_it_is_not_the_settings_only_if_they_span_the_space_and_the_loss_before_training_was_told(
    rates, untold, told
):
    jobs = [job(3, 8, r, ends=(3.0, 2.995), name=f"job-{r}", **untold) for r in rates]
    reason = ask(jobs, RANGES | {"learning_rate_multiplier": {"min": 0.01, "max": 10}})[0][0].reason or ""
    assert ("none of 8 jobs, at rates from 0.01 to 5, came" in reason) is told
    assert told or "data and model" not in reason


def test_a_job_as_good_as_the_best_up_to_a_seed_brings_nothing():
    barely, clearly = ended(LOST + 3, best=LOST + 2), ended(LOST + 3, best=LOST + 2)
    barely.loss[0] = 1.0 + 0.009  # of a gain of 1
    clearly.loss[0] = 1.0 + 0.02
    assert (barely.n_in_vain, clearly.n_in_vain) == (LOST + 2, 0)


def test_jobs_count_in_the_order_in_which_they_were_made():
    some = ended(6, best=5)
    some.job[:] = some.job[::-1]
    assert some.n_in_vain == 5


def test_what_is_expected_of_a_taken_setting_keeps_no_loop_going():
    late_best = ended(FEWEST, best=FEWEST - 1 - IDLE)
    assert stop_reason(promising(1.9 * EXPECTED), FREE, late_best) is None
    assert stop_reason(promising(1.9 * EXPECTED), np.array([True, False]), late_best)


def test_where_nothing_is_left_each_setting_is_told_by_what_took_it_first():
    out = {"tried": [1, 1, 0, 0], "too dear": [0, 0, 0, 0], "hot": [0, 1, 1, 1]}
    told = nothing_left({why: np.array(mask, bool) for why, mask in out.items()})
    assert told.startswith("none is left of the 4 settings that were looked at: 2 are tried, 2 are hot;")
    assert "data" not in told
    (one,) = ask([job()], {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": [0.4]})[0]
    assert one.stop
    assert one.reason.startswith(
        "none is left of the one setting that was looked at: 1 is tried or under way;"
    )


def test_more_of_what_overfitted_is_named_where_a_space_has_nothing_else():
    over = job(epochs=3, ends=(1.2, 1.5, 2.0))
    space = {"n_epochs": [3, 5, 8], "batch_size": [8], "learning_rate_multiplier": [0.4, 0.8]}
    (stop,) = ask([over], space)[0]
    assert "1 is tried or under way, 5 are more of what overfitted or blew up" in stop.reason


def test_where_every_job_blew_up_and_nothing_is_left_the_settings_may_not_be_to_blame():
    lost = job(rate=0.1, ends=(5.0, 9.0), train_loss=[])
    (stop,) = ask([lost], {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": [0.1, 0.4]})[0]
    assert stop.reason.endswith(
        "every job blew up: see first whether the data, the code or the precision is at fault"
    )
