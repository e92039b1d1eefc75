"""How far a proposal may go from what jobs and tables tell."""

import pytest
from propose_jobs import LISTS, RANGES, ask, job, knobs

from advisor.nouns import SearchSpace
from advisor.propose.grid import REACH, within_reach
from advisor.propose.limits import overfitted_settings


def test_what_hardly_learned_has_not_overfitted():
    """It rose by its noise, a third of what it fell; what it needs is ruled out if that is overfitting."""
    cold = job(rate=0.06, ends=(2.95, 2.94, 2.953))
    assert not len(overfitted_settings([cold], "learning_rate_multiplier", 1.0, 3.0))
    assert len(overfitted_settings([job(ends=(1.4, 1.2, 1.3))], "learning_rate_multiplier", 1.0, 3.0))


def test_a_rate_far_below_the_providers_own_is_left_in_one_step():
    made, _ = ask([job(rate=0.03, ends=(2.98, 2.97, 2.96))], RANGES)
    assert knobs(made[0])[2] > 0.03 * REACH


def test_a_rate_goes_no_further_than_jobs_and_the_providers_own():
    wide = RANGES | {"learning_rate_multiplier": {"min": 0.001, "max": 1000}}
    rate = within_reach(SearchSpace.from_record(wide), [job(rate=0.05)]).rate
    assert (rate.low, rate.high) == (0.05 / REACH, REACH)
    absolute = {"learning_rate": {"min": 1e-7, "max": 1.0}}
    one = job(hyperparameters={"n_epochs": 3, "batch_size": 8, "learning_rate": 1e-6})
    assert within_reach(SearchSpace.from_record(absolute), [one]).rate.high == pytest.approx(1e-6 * REACH)


def test_no_job_is_bet_on_what_nothing_is_known_of():
    """Of batch size 1 neither tables nor jobs tell; where it is all that is left it is taken all the same."""
    space = LISTS | {"batch_size": [1, 8, 16]}
    made, others = ask([job()], space)
    assert all(knobs(p)[1] > 1 for p in [*made, *others])
    alone, _ = ask([job()], {"n_epochs": [3], "batch_size": [1, 8], "learning_rate_multiplier": [0.4]})
    assert knobs(alone[0])[1] == 1
