"""What a proposal says of itself: the rules that carry it, what to expect, what speaks against it; the guide to the letter."""

import re

import pytest
from propose_jobs import LISTS, ask, job, knobs

from advisor.nouns import Diagnosis, Finding, HyperParameters, Job, Move, SearchSpace
from advisor.propose import propose
from advisor.propose.wording import because


def test_a_proposal_names_the_rules_that_ask_for_it_and_those_that_speak_against():
    up = Finding("FT1", "low", "fires", moves=(Move("learning_rate_multiplier", "up"),))
    down = Finding("FT2", "high", "fires", moves=(Move("learning_rate_multiplier", "down"),))
    quiet = Finding("FT3", "quiet", "clear", moves=(Move("learning_rate_multiplier", "up"),))
    slow = job(rate=0.1, epochs=12, batch=4, ends=[2.99, 2.98])
    made, _ = propose([slow], Diagnosis("underfitting", (up, down, quiet)), SearchSpace.from_record(LISTS))
    assert knobs(made[0])[2] > 0.1
    assert made[0].because == ("FT1",)
    assert "against it: FT2" in made[0].expect
    assert "best so far 2.98" in made[0].expect


@pytest.mark.parametrize(
    ("what", "finding", "carries"),
    [
        ("a guide's move that was measured and seldom right", Move("n_epochs", "up", measured="right on 61 of 185 jobs"), False),
        ("one that was not measured", Move("n_epochs", "up", measured="not measured"), True),
        ("one against which the rule's own move speaks", Move("n_epochs", "up"), False),
    ],
)  # fmt: skip
def test_what_the_guide_says_carries_a_proposal_where_no_measurement_speaks_against_it(
    what, finding, carries
):
    own = (Move("learning_rate_multiplier", "down"),) if "own move" in what else ()
    found = Finding("FT9", "x", "fires", moves=own, guide_moves=(finding,))
    from_, to = job(epochs=1, rate=0.1), HyperParameters(5, 8, 0.4)
    assert because(from_, to, Diagnosis("healthy", (found,))) == (("FT9",) if carries else ()), what


def test_what_the_guide_alone_asks_for_and_is_seldom_right_is_no_reason_for_the_change():
    """The rule carries the proposal by its own move; its guide's further one does not become a measured one by that."""
    seldom = Move("batch_size", "down", measured="right on 21 of 82 jobs")
    found = Finding("FT9", "x", "fires", moves=(Move("n_epochs", "down"),), guide_moves=(seldom,))
    space = {"n_epochs": [2], "batch_size": [4], "learning_rate_multiplier": [0.4]}
    made, _ = propose([job()], Diagnosis("overfitting", (found,)), SearchSpace.from_record(space))
    assert made[0].because == ("FT9",)
    told = "no measured rule asks for batch size down (the guide does: FT9; right on 21 of 82 jobs)"
    assert told in made[0].expect
    assert "epochs down" not in made[0].expect


def test_rules_that_ask_for_the_same_are_told_together():
    down = (Move("n_epochs", "down"),)
    asking = tuple(Finding(rule, "x", "fires", moves=down) for rule in ("FT1", "FT2"))
    space = {"n_epochs": [8], "batch_size": [8], "learning_rate_multiplier": [0.4]}
    made, _ = propose([job()], Diagnosis("overfitting", asking), SearchSpace.from_record(space))
    assert made[0].expect.endswith("against it: FT1 and FT2 ask for epochs down, the whole history does not")


def test_an_alternative_tells_its_own_figures_and_who_is_against_it_and_no_more():
    down = Finding("FT1", "x", "fires", moves=(Move("learning_rate_multiplier", "down"),))
    _, others = propose([job()], Diagnosis("overfitting", (down,)), SearchSpace.from_record(LISTS))
    assert len({p.expect for p in others}) == len(others) == 3
    for p in others:
        reach = r"(about [\d.]+ \(8 in 10: [\d.]+ to [\d.]+\)|8 in 10: [\d.]+ to [\d.]+)"
        figures = reach + r", \d+% chance of a gain above 2%"
        against = "; against FT1" if knobs(p)[2] > 0.4 else ""
        assert re.fullmatch(figures + against, p.expect), p.expect


def test_a_proposal_that_no_rule_asks_for_says_what_carries_it():
    made, _ = ask([job()])
    assert made[0].because == ()
    assert (
        "no measured rule asks for it: the curves of this task's jobs and of earlier tasks carry it"
        in made[0].expect
    )
    alone, _ = ask([job()], prior=False)
    assert "the curves of this task's jobs carry it" in alone[0].expect


@pytest.mark.parametrize("jobs", [[], [Job.from_record({})]], ids=["no job", "a job without losses"])
@pytest.mark.parametrize("context", [None, {"n_train_examples": 80}])
def test_the_first_job_rests_on_the_rule_that_there_is_none_yet(context, jobs):
    none_yet = Diagnosis("insufficient_data", (Finding("FT101", "no-job-yet", "fires"),))
    made, _ = propose(jobs, none_yet, SearchSpace.from_record(LISTS), context=context)
    assert made[0].because == ("FT101",)


@pytest.mark.parametrize("status", ["failed", "succeeded"])
def test_after_a_job_that_failed_without_a_loss_the_failure_is_looked_at_first(status):
    failed = job(status=status, full_valid_loss=[], train_loss=[])
    made, others = ask([failed])
    told = "see first why the newest job failed: this one may fail in the same way; no validation loss to go by yet"
    assert made[0].expect.startswith(told) == (status == "failed")
    assert not any("see first" in p.expect for p in others), "once"


@pytest.mark.parametrize(
    ("low", "high", "rate"), [(2.05, 2.25, 2.148), (1.9 + 1e-13, 1.9 + 3e-13, None), (0.1, 8, None)]
)
def test_rates_of_a_range_have_few_digits_where_the_range_allows(low, high, rate):
    space = {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": {"min": low, "max": high}}
    made, _ = ask([], space, context={"n_train_examples": 80})
    told = knobs(made[0])[2]
    assert low <= told <= high
    assert rate is None or told == rate


def test_a_listed_rate_is_kept_to_the_last_digit():
    listed = 2.0000000000000004
    space = {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": [listed]}
    made, _ = ask([], space, context={"n_train_examples": 80})
    assert knobs(made[0])[2] == listed


def test_replicate_asks_for_a_second_seed_where_the_two_best_are_within_noise():
    near = [job(ends=(2.0, 1.5, 1.300)), job(rate=0.1, ends=(2.0, 1.5, 1.301), name="job-1")]
    far = [near[0], job(rate=0.1, ends=(2.0, 1.9, 1.8), name="job-1")]
    _, alternatives = ask(near, context={"replicate": True})
    assert alternatives[0].expect.startswith("replicate")
    assert knobs(alternatives[0]) == knobs(near[0])
    with pytest.warns(
        UserWarning, match=r"no replicate is offered: job-0 leads job-1 by 29.4% of the gain, and an"
    ):
        assert not any(p.expect.startswith("replicate") for p in ask(far, context={"replicate": True})[1])
    with pytest.warns(UserWarning, match="no replicate is offered: 1 job of this task ended with a loss"):
        ask(near[:1], context={"replicate": True})
    with pytest.warns(UserWarning, match="the setting of job-0 has run 2 times already"):
        ask([*near, job(ends=(2.0, 1.5, 1.302), name="twin")], context={"replicate": True})


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([("n_epochs", "down")], (2, 8, 0.4)),
        ([("n_epochs", "up"), ("learning_rate_multiplier", "up")], (5, 8, 1.6)),
        ([("batch_size", "up")], (3, 16, 0.4)),
    ],
)
def test_guide_only_takes_the_rules_steps_and_nothing_else(moves, expected):
    finding = Finding("FT9", "x", "fires", guide_moves=tuple(Move(*m) for m in moves))
    made, _ = propose(
        [job()], Diagnosis("overfitting", (finding,)), SearchSpace.from_record(LISTS), guide_only=True
    )
    assert knobs(made[0]) == pytest.approx(expected)
    assert made[0].because == ("FT9",)


def test_guide_only_steps_from_the_knobs_that_are_known():
    finding = Finding("FT9", "x", "fires", guide_moves=(Move("n_epochs", "down"),))
    no_batch = job(hyperparameters={"n_epochs": 12, "learning_rate_multiplier": 1.6})
    made, _ = propose(
        [no_batch], Diagnosis("overfitting", (finding,)), SearchSpace.from_record(LISTS), guide_only=True
    )
    assert knobs(made[0])[0::2] == (5, 1.6)


def test_guide_only_stops_where_the_space_has_nothing_the_way_that_is_asked():
    asked = Finding("FT9", "x", "fires", guide_moves=(Move("n_epochs", "up"), Move("batch_size", "down")))
    space = SearchSpace.from_record(LISTS | {"n_epochs": [1, 2, 3], "batch_size": [8, 16]})
    made, _ = propose([job()], Diagnosis("healthy", (asked,)), space, guide_only=True)
    assert made[0].stop
    assert made[0].reason.startswith(
        "the guide asks for epochs up and batch size down, and the space has nothing"
    )
    assert made[0].because == ()


def test_guide_only_stops_where_no_rule_fires():
    made, _ = ask([job()], guide_only=True)
    assert made[0].stop


def test_a_forecast_has_no_more_digits_than_it_is_known_to():
    told = ask([job(ends=(1.7899, 1.7898), base_valid_loss=1.8)])[0][0].expect
    foretold, best = told.split("best so far ")
    assert best.startswith("1.7898")
    assert all(len(figure) <= 5 for figure in re.findall(r"\d\.\d+", foretold)), told
