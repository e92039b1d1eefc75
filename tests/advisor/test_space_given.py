"""A space that is given holds, whatever the jobs have; what it does not limit is as the jobs have it."""

import warnings

import pytest
from propose_jobs import job

from advisor import SearchSpace, advise
from advisor.nouns import Knob
from advisor.space_record import DEFAULT_SPACE
from advisor.tell.request import parse

ABSOLUTE = {"n_epochs": 3, "batch_size": 8, "learning_rate": 1e-4}
WIDEST = DEFAULT_SPACE["learning_rate_multiplier"]
TOLD = "the jobs have a learning rate, so what they showed says nothing of this learning rate multiplier"


def proposed(record, **more):
    space = SearchSpace.from_record(record)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = advise([job(hyperparameters=ABSOLUTE)], space, **more)
    return made, space, [str(w.message) for w in told]


@pytest.mark.parametrize("limits", [WIDEST, WIDEST | {"min": 0.1}, [0.5, 1, 2]])
def test_a_limit_that_equals_the_widest_is_a_limit_all_the_same(limits):
    made, space, told = proposed({"learning_rate_multiplier": limits})
    for p in (made.proposal, *made.alternatives):
        assert p.hyperparameters.learning_rate is None
        assert space.rate.contains(p.hyperparameters.learning_rate_multiplier)
    assert any(
        "the space limits learning_rate_multiplier, and the jobs have learning_rate" in t for t in told
    )
    assert TOLD in made.proposal.expect


def test_a_space_that_limits_no_rate_takes_the_jobs_own():
    made, _, told = proposed({"n_epochs": [3, 5]})
    assert made.proposal.hyperparameters.learning_rate
    assert made.proposal.hyperparameters.learning_rate_multiplier is None
    assert not told
    assert "says nothing" not in made.proposal.expect


def test_a_space_made_of_nouns_is_limited_throughout():
    space = SearchSpace(Knob((3,)), Knob((8,)), Knob(low=WIDEST["min"], high=WIDEST["max"]))
    with pytest.warns(UserWarning, match="their rates tell nothing of it"):
        made = advise([job(hyperparameters=ABSOLUTE)], space)
    assert made.proposal.hyperparameters.learning_rate_multiplier


def test_what_a_question_leaves_open_is_as_the_provider_has_it():
    asked = parse([{"hyperparameters": ABSOLUTE}], {"n_epochs": [3], "batch_size": None})
    assert asked.space.limited == {"n_epochs"}
    whole = asked.space_within(SearchSpace.from_record({"batch_size": [8], "learning_rate": [1e-4, 2e-4]}))
    assert (whole.n_epochs.values, whole.batch_size.values) == ((3,), (8,))
    assert (whole.rate_name, whole.rate.values) == ("learning_rate", (1e-4, 2e-4))
    assert whole.limited == {"n_epochs", "batch_size", "learning_rate"}
