"""What a proposal says of itself: the rules that carry it, what to expect, what speaks against it; the guide to the letter."""

import re

import pytest
from propose_jobs import LISTS, ask, job, knobs

from advisor.nouns import Diagnosis, Finding, HyperParameters, Job, Move, SearchSpace
from advisor.propose import propose
from advisor.propose.acquire import percent
from advisor.propose.calibration import came_true, eight_in_ten
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


def test_jobs_that_blew_up_are_not_said_to_have_told_no_loss():
    rising = [[s, 2 + 0.1 * s] for s in range(1, 31)]
    blown = job(ends=(4.0, 5.0, 6.0), base_valid_loss=2.0, train_loss=rising)
    expect = ask([blown])[0][0].expect
    assert "no validation loss of a job that did not blow up" in expect


NO_LOSSES = {
    "nothing known": [Job.from_record({})],
    "queued": [job(status="queued", full_valid_loss=[], train_loss=[])],
    "all losses null": [job(full_valid_loss=[[10, None], [20, None]], train_loss=[[1, None]])],
    "no base loss either": [job(full_valid_loss=[], train_loss=[], base_valid_loss=None)],
    "five that never told a loss": [
        job(rate=r, name=str(r), full_valid_loss=[], train_loss=[]) for r in (0.1, 0.2, 0.4, 0.8, 1.6)
    ],
}


@pytest.mark.parametrize("jobs", NO_LOSSES.values(), ids=NO_LOSSES)
def test_where_no_loss_was_measured_no_figure_is_told(jobs):
    made, alternatives = ask(jobs)
    for p in [*made, *alternatives]:
        assert "no validation loss to go by yet" in p.expect
        assert not any(c.isdigit() or c == "%" for c in p.expect)
        assert not p.stop


def test_a_running_job_has_a_forecast_and_no_best_so_far():
    running = job(status="running", epochs=5, full_valid_loss=[[10, 2.0], [20, 1.6]], total_steps=50)
    made, _ = ask([running])
    assert "8 in 10" in made[0].expect
    assert "no job has ended yet" in made[0].expect
    assert "best so far" not in made[0].expect


def test_a_metric_is_not_told_as_a_loss():
    made, _ = ask([job(metrics={"exact_match": 0.8})], objective="exact_match")
    assert "loss" not in made[0].expect
    assert "exact_match" in made[0].expect


def test_a_proposal_that_no_rule_asks_for_says_what_carries_it():
    made, _ = ask([job()])
    assert made[0].because == ()
    assert "earlier tasks carry it" in made[0].expect


@pytest.mark.parametrize("jobs", NO_LOSSES.values(), ids=NO_LOSSES)
def test_without_losses_no_curve_of_this_task_is_said_to_carry_a_proposal(jobs):
    assert "curves" not in ask(jobs)[0][0].expect


@pytest.mark.parametrize("jobs", [[], [Job.from_record({})]], ids=["no job", "a job without losses"])
@pytest.mark.parametrize("context", [None, {"n_train_examples": 80}])
def test_the_first_job_rests_on_the_rule_that_there_is_none_yet(context, jobs):
    none_yet = Diagnosis("insufficient_data", (Finding("FT101", "no-job-yet", "fires"),))
    made, _ = propose(jobs, none_yet, SearchSpace.from_record(LISTS), context=context)
    assert made[0].because == ("FT101",)


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


def test_guide_only_stops_where_no_rule_fires():
    made, _ = ask([job()], guide_only=True)
    assert made[0].stop


@pytest.mark.parametrize(
    ("chance", "said"),
    [(0.0, "under 1%"), (0.004, "under 1%"), (0.13, "13%"), (0.999, "over 99%"), (1.0, "over 99%")],
)
def test_a_forecast_is_never_quite_certain(chance, said):
    assert percent(chance) == said


def test_training_losses_are_not_told_as_validation_losses():
    made, _ = ask([job(full_valid_loss=[])])
    assert "no validation loss to go by" in made[0].expect


def test_the_best_so_far_is_the_loss_that_was_measured_however_bad():
    made, _ = ask([job(ends=(2.5, 3.4))])  # above the loss before training, which is 3.0
    assert "best so far 3.4" in made[0].expect


def test_corrected_chances_keep_their_order():
    """Never more certain with the same words after more jobs, and in the order in which it was said."""
    said = [0.0, 0.05, 0.3, 0.5, 0.7, 0.9, 1.0]
    for ended in (0, 1, 2, 3, 9):
        told = [came_true(c, ended) for c in said]
        assert told == sorted(told)
        assert told[0] == 0.0
    assert came_true(0.8, 1) == pytest.approx(0.8)
    assert came_true(0.8, 9) < came_true(0.8, 2) < came_true(0.8, 1)


def test_without_earlier_tasks_a_chance_is_told_as_it_stands():
    """Measured: it is not too high there."""
    assert came_true(0.8, 9, prior=False) == 0.8


def test_the_levels_of_a_forecast_keep_their_order():
    lows = [eight_in_ten(n)[0] for n in range(8)]
    assert lows == sorted(lows)
    assert all(low < high for low, high in map(eight_in_ten, range(8)))


def test_losses_below_nought_are_given_no_figures():
    made, _ = ask([job(ends=(-1.0, -2.0, -2.5), base_valid_loss=0.5)])
    assert "no figures" in made[0].expect


@pytest.mark.parametrize("objective", ["final", "best_checkpoint"])
def test_the_middle_of_a_forecast_agrees_with_the_chance_that_is_told(objective):
    """Less likely than not to beat the best by what matters: then its middle is no lower than that."""
    jobs = [
        job(e, 8, r, ends=(2.0, v), name=f"{e}-{r}")
        for e, r, v in ((3, 0.4, 0.9), (5, 0.4, 1.4), (3, 0.1, 1.1))
    ]
    made, others = ask(jobs, objective=objective, n=3)
    for p in [*made, *others]:
        low, high = map(float, re.search(r"8 in 10: ([\d.]+) to ([\d.]+)", p.expect).groups())
        middle = re.search(r"loss about ([\d.]+)", p.expect)
        chance = int(re.search(r"(\d+)% chance", p.expect)[1])
        assert chance <= 50, "after three jobs no gain was surer than that"
        assert low <= high
        assert middle is None or (
            low <= float(middle[1]) <= high and (chance >= 50 or float(middle[1]) >= 0.9)
        )
    assert made[0].expect.startswith("final" if objective == "final" else "best")


@pytest.mark.parametrize(
    ("ends", "told"),
    [((1.6, 1.2, 1.5), "best so far 1.5 (1.2 at a checkpoint)"), ((1.6, 1.2), "best so far 1.2;")],
)
def test_a_checkpoint_at_hand_that_is_better_than_every_end_is_told(ends, told):
    made, _ = ask([job(5, 8, 0.4, ends=ends)])
    assert told in made[0].expect
