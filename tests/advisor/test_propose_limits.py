"""When the word is stop, what a budget allows, and on which scale a provider counts."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from propose_jobs import LISTS, RANGES, ask, job, knobs

from advisor import advise
from advisor.nouns import Curve, Diagnosis, Finding, Job, Move, SearchSpace
from advisor.propose import engine, keep, propose
from advisor.propose.agreeing import AGAINST, agreement
from advisor.propose.grid import REACH, candidates, within_reach
from advisor.propose.limits import DOUBT, doubt, overdone, overfitted_settings
from advisor.propose.series import came_to_nothing


def test_stop_comes_with_a_reason_and_the_setting_it_would_try_if_forced():
    space = {"n_epochs": [1, 2, 3], "batch_size": [8], "learning_rate_multiplier": [0.1, 0.4, 1.6, 3.2]}
    jobs = [
        job(e, 8, r, ends=[1.0 + 0.5 * abs(math.log2(r / 0.4)) + 0.05 * i for i in range(e)], name=f"{e}-{r}")
        for e in (1, 2, 3) for r in (0.1, 0.4, 1.6)
    ]  # fmt: skip
    made, _ = ask(jobs, space)
    assert made[0].stop
    assert made[0].hyperparameters is not None
    assert "%" in made[0].reason


@pytest.mark.parametrize(
    ("budget", "words", "goes_on"),
    [
        (0, "budget of jobs is used up", True),
        ({"usd": 0}, "budget of usd is used up", False),
        ({"trained_tokens": 10}, "10 trained_tokens, 1000 needed", False),
        ({"trained_tokens": 10, "usd": 0.1}, "10 trained_tokens, 1000 needed; 0.1 usd, 0.5 needed", False),
    ],
)
def test_a_budget_that_is_used_up_stops_the_loop(budget, words, goes_on):
    """And nothing that tokens or money do not pay for is named as the next setting all the same."""
    made, alternatives = ask([job(epochs=3, trained_tokens=3000, cost_usd=1.5)], budget=budget)
    assert made[0].stop
    assert words in made[0].reason
    assert any(p.hyperparameters is not None for p in [*made, *alternatives]) is goes_on


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"usd": 0.5}, "no job says its cost_usd"),
        ({"trained_tokens": 9, "jobs": 2}, "no job says its trained_tokens"),
    ],
)
def test_a_budget_that_can_never_limit_is_refused(budget, words):
    with pytest.raises(ValueError, match=f"cannot be kept: {words}"):
        ask([job()], budget=budget)


def test_a_budget_that_cannot_limit_yet_is_said():
    for jobs, words in (([], "there is no job yet"), ([job(status="running")], "no job says its cost_usd")):
        with pytest.warns(UserWarning, match=f"limits nothing: {words}"):
            ask(jobs, budget={"usd": 0.5})


def test_what_costs_nothing_is_not_limited():
    made, _ = ask([job()], budget={"usd": 0.5}, context={"train_usd": 0.0})
    assert made[0].hyperparameters is not None


def test_what_costs_nothing_is_not_limited_and_epochs_that_are_not_known_are_named():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, _ = ask([job(cost_usd=0.0)], budget={"usd": 5})
    assert not made[0].stop
    unresolved = job(trained_tokens=30_000, hyperparameters={"n_epochs": "auto", "batch_size": 8})
    with pytest.warns(UserWarning, match="no job says its n_epochs beside trained_tokens"):
        ask([unresolved], budget={"trained_tokens": 9000})


def test_a_budget_of_tokens_bounds_the_epochs():
    made, alternatives = ask([job(epochs=3, trained_tokens=3000)], budget={"trained_tokens": 2000}, n=3)
    assert all(knobs(p)[0] <= 2 for p in [*made, *alternatives])


@pytest.mark.parametrize(
    ("budget", "most"), [({"jobs": 2}, 2), ({"trained_tokens": 9000}, 9), ({"jobs": 9, "usd": 4.0}, 8)]
)
@pytest.mark.parametrize("guide_only", [False, True])
def test_proposals_made_at_once_are_paid_for_together(budget, most, guide_only):
    """A job of three epochs took 3000 tokens and 1.5 usd."""
    made, _ = ask(
        [job(epochs=3, trained_tokens=3000, cost_usd=1.5)], n=4, budget=budget, guide_only=guide_only
    )
    assert 1 <= len(made) <= 4
    assert (len(made) if "jobs" in budget and most == 2 else sum(knobs(p)[0] for p in made)) <= most


@pytest.mark.parametrize("guide_only", [False, True])
@pytest.mark.parametrize("jobs", [[], [job()]])
def test_no_job_left_is_a_stop_whoever_asks(jobs, guide_only):
    made, _ = ask(jobs, budget=0, guide_only=guide_only)
    assert made[0].stop
    assert "budget of jobs is used up" in made[0].reason


def test_a_budget_of_an_unknown_kind_is_refused_with_the_kinds_known():
    with pytest.raises(ValueError, match="trained_tokens"):
        ask([job()], budget={"hours": 3})


@pytest.mark.parametrize("budget", [True, "3", {"usd": "x"}, {"jobs": float("nan")}, -1, 1.5])
def test_a_budget_that_is_no_number_is_refused_by_name(budget):
    with pytest.raises(ValueError, match=r"budget is .*expected a whole number of jobs"):
        ask([job()], budget=budget)


def test_asking_for_no_proposal_is_refused():
    with pytest.raises(ValueError, match="n is 0; expected 1 or more"):
        ask([job()], n=0)


@pytest.mark.parametrize(
    ("name", "values"),
    [("learning_rate_multiplier", [0.02, 0.05, 0.1, 0.2]), ("learning_rate", [1e-5, 1e-4, 1e-3])],
)
def test_legacy_multipliers_and_absolute_rates_are_scales_of_their_own(name, values):
    space = {"n_epochs": [1, 2, 3, 5], "batch_size": [8, 16], name: values}
    one = job(hyperparameters={"n_epochs": 3, "batch_size": 8, name: values[1]})
    made, _ = ask([one], space)
    assert getattr(made[0].hyperparameters, name) in values


def test_jobs_on_other_data_are_warm_start_and_no_losses_of_this_task():
    """There 1.6 was far too high; here one job stands at the middle rate."""
    elsewhere = [
        job(rate=r, ends=e, name=f"old-{r}", valid_file={"sha256": "old"})
        for r, e in ((0.1, (0.3, 0.25, 0.2)), (0.4, (0.6, 0.8, 1.2)), (1.6, (2.0, 2.5, 3.0)))
    ]
    here = job(rate=0.4, ends=(2.0, 1.5, 1.3), valid_file={"sha256": "new"})
    warm, _ = ask([*elsewhere, here])
    assert "best so far 1.3" in warm[0].expect
    assert keep([*elsewhere, here]).job == "job-0"


def test_a_wide_range_is_no_reason_to_go_far_beyond_tables_and_jobs():
    wide = {"n_epochs": {"min": 1, "max": 50}, "batch_size": {"min": 1, "max": 256}}
    space = SearchSpace.from_record(wide | {"learning_rate_multiplier": {"min": 0.02, "max": 10}})
    near = within_reach(space, [job(epochs=10, batch=2)])
    assert (near.n_epochs.low, near.n_epochs.high) == (1, 20)
    assert (near.batch_size.low, near.batch_size.high) == (1, 2 * REACH)
    first = within_reach(space, [])
    assert (first.batch_size.low, first.batch_size.high) == (4, 32)
    chosen = SearchSpace.from_record({"n_epochs": [1, 50], "batch_size": {"min": 128, "max": 256}})
    reached = within_reach(chosen, [job()])
    assert (reached.n_epochs, reached.batch_size) == (chosen.n_epochs, chosen.batch_size)


def test_more_of_what_overfitted_is_not_proposed():
    """No fewer epochs at no lower a rate, in all and per example, than a job whose loss rose again."""
    jobs = [job(5, 8, 0.4, ends=(1.6, 1.4, 1.5, 1.8, 2.1))]
    made, others = ask(jobs, n=3)
    for epochs, batch, rate in map(knobs, [*made, *others]):
        assert epochs < 5 or rate < 0.4 or rate / batch < 0.4 / 8


def test_a_job_whose_batch_size_no_log_tells_bars_more_of_it_as_well():
    """Most trainers' logs have no batch size; the usual one stands in."""
    known = {"n_epochs": 5, "learning_rate_multiplier": 0.4}
    jobs = [job(5, 8, 0.4, ends=(1.6, 1.4, 1.5, 1.8, 2.1), hyperparameters=known)]
    made, others = ask(jobs, n=3)
    for epochs, batch, rate in map(knobs, [*made, *others]):
        assert epochs < 5 or rate < 0.4 or rate / batch < 0.4 / 8


def test_a_job_that_overfitted_at_a_rate_that_no_log_tells_is_followed_by_less_of_it():
    """Keras' history has neither rate nor batch size; the usual ones stand in."""
    losses = {
        "full_valid_loss": [1.9, 1.55, 1.42, 1.45, 1.56, 1.71],
        "train_loss": [2.1, 1.6, 1.3, 1.0, 0.8, 0.6],
    }
    curves = {name: [[i + 1, v] for i, v in enumerate(values)] for name, values in losses.items()}
    log = {"id": "keras", "hyperparameters": {"n_epochs": 6}, "steps_per_epoch": 1, "total_steps": 6}
    epochs, _, rate = knobs(advise([Job.from_record(log | curves)]).proposal)
    assert epochs <= 6
    assert rate <= 1.0
    assert epochs * rate < 6 * 1.0


@pytest.mark.parametrize("known", [{"learning_rate_multiplier": 0.4}, {"n_epochs": 5}])
def test_a_rule_is_heeded_on_the_knobs_that_are_known_and_on_what_is_taken_for_the_others(known):
    newest = Job.from_record({"hyperparameters": known})
    grid = candidates(SearchSpace.from_record(LISTS), 1.0)
    moves = tuple(Move(k, "down") for k in ("n_epochs", "learning_rate_multiplier"))
    asked = Diagnosis("overfitting", (Finding("FT000", "asks", "fires", moves=moves),))
    kept = agreement(grid, newest, asked, 1.0)
    usual = {"n_epochs": 3, "learning_rate_multiplier": 1.0} | known  # of a job of few evaluations 3 epochs
    epochs, _, rates = grid.settings.T
    against = (epochs > usual["n_epochs"]) | (rates > usual["learning_rate_multiplier"])
    assert (kept == np.where(against, AGAINST, 1.0)).all()


def test_the_same_rate_over_a_larger_batch_is_less_of_it():
    tried = np.array([[5, 8, 0.4]])
    settings = np.array([[5, 8, 0.4], [8, 16, 0.8], [5, 32, 0.4], [5, 8, 0.2], [3, 8, 1.6]])
    assert overdone(settings, tried).tolist() == [True, True, False, False, False]


def test_what_is_not_in_vain_comes_first_and_alone_however_many_are_asked_for():
    """Two settings are left that are no more of what overfitted; in a wide range they are few among thousands."""
    up = (1.6, 1.4, 1.5, 1.8, 2.1)
    few = {"n_epochs": [3, 5, 8, 12], "batch_size": [8], "learning_rate_multiplier": [0.4, 1.6]}
    made, others = ask([job(5, 8, 0.4, ends=up)], few, n=3)
    assert {knobs(p)[0] for p in [*made, *others]} == {3}
    wide = {"n_epochs": {"min": 1, "max": 100}, "batch_size": {"min": 1, "max": 256}}
    jobs = [job(1, 32, 0.02, ends=up, name="a"), job(1, 4, 0.1, ends=up, name="b")]
    made, _ = ask(jobs, wide | {"learning_rate_multiplier": {"min": 1e-4, "max": 100}})
    assert not made[0].stop


@pytest.mark.parametrize("full", [[], [[0, 3.0]], [[10, None]]])
def test_what_was_not_measured_on_the_whole_validation_set_bars_nothing(full):
    rises = {"full_valid_loss": full, "valid_loss": [[10, 1.3], [20, 1.1], [30, 1.4]]}
    assert not len(overfitted_settings([job(**rises)], "learning_rate_multiplier", 1.0, 3.0))


def test_a_job_that_overfitted_bars_nothing_where_the_best_checkpoint_is_what_counts():
    jobs = [job(5, 8, 0.4, ends=(1.6, 1.4, 1.5, 1.8, 2.1))]
    longer = {"n_epochs": [8], "batch_size": [8], "learning_rate_multiplier": [0.4]}
    assert ask(jobs, longer)[0][0].stop
    assert not ask(jobs, longer, objective="best_checkpoint")[0][0].stop


@pytest.mark.parametrize(("direction", "kept"), [("up", [1.0, AGAINST, 1.0]), ("down", [AGAINST, 1.0, 1.0])])
def test_a_setting_that_moves_against_a_rule_counts_for_less(direction, kept):
    grid = candidates(
        SearchSpace.from_record(
            {"n_epochs": [8, 3, 5], "batch_size": [8], "learning_rate_multiplier": [0.4]}
        ),
        1.0,
    )
    finding = Finding("FT000", "asks", "fires", moves=(Move("n_epochs", direction),))
    factors = agreement(grid, job(5, 8, 0.4), Diagnosis("healthy", (finding,)), 1.0)
    by_epochs = dict(zip(grid.settings[:, 0], factors, strict=True))
    assert [by_epochs[8], by_epochs[3], by_epochs[5]] == kept


def test_a_rule_turns_the_choice_where_the_library_leads_the_other_way():
    """What the proposer would do unasked, a rule with a measured move against it keeps it from."""
    jobs = [job(5, 8, 0.4, ends=(2.8, 2.6, 2.45, 2.35, 2.3))]
    unasked = knobs(ask(jobs)[0][0])
    assert unasked[2] > 0.4 or unasked[0] > 5
    against = tuple(Move(k, "down") for k in ("n_epochs", "learning_rate_multiplier"))
    diagnosis = Diagnosis("overfitting", (Finding("FT000", "asks", "fires", moves=against),))
    made, _ = propose(jobs, diagnosis, SearchSpace.from_record(LISTS))
    assert knobs(made[0])[0] <= 5
    assert knobs(made[0])[2] <= 0.4


def test_a_late_job_in_a_range_stays_about_the_best_and_a_listed_value_does_not():
    jobs = [
        job(3, 8, r, ends=(2.0, 1.0 + 0.3 * abs(math.log2(r / 0.4))), name=f"{r}")
        for r in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
    ]
    made, others = ask(jobs, RANGES, n=4)
    for epochs, batch, rate in map(knobs, [*made, *others]):
        assert max(epochs / 3, 3 / epochs) <= 2**1.6
        assert max(batch / 8, 8 / batch) <= 4
        assert max(rate / 0.4, 0.4 / rate) <= 4
    listed = {"n_epochs": [12], "batch_size": [64], "learning_rate_multiplier": [6.4]}
    assert knobs(ask(jobs, listed)[0][0]) == (12, 64, 6.4)


def test_a_range_is_cut_to_what_jobs_have_come_near():
    """A first job in large batches is not followed by one of sixteen times as many steps."""
    wide = {"learning_rate": {"min": 1e-7, "max": 1e-1}, "batch_size": {"min": 1, "max": 256}}
    tried = {"learning_rate": 2e-4, "batch_size": 64}
    reached = within_reach(SearchSpace.from_record(wide), [Job.from_record({"hyperparameters": tried})])
    assert (reached.rate.low, reached.rate.high) == pytest.approx((2e-4 / REACH, 2e-4 * REACH))
    assert (reached.batch_size.low, reached.batch_size.high) == (64 / REACH, 128)


def test_a_job_that_learned_by_heart_has_not_blown_up_though_no_evaluation_lies_below_the_first_batch():
    """The first batch happened to be an easy one: the job overfitted, and its losses are figures to go by."""
    by_heart = job(6, 8, 0.4, ends=(0.76, 0.8, 0.85, 0.9, 0.95, 1.0), base_valid_loss=None)
    train = [[s, 0.65 - 0.01 * s] for s in range(1, 61)]
    learned = replace(by_heart, train=Curve(*zip(*train, strict=True)))
    assert not came_to_nothing(learned, 0.65)
    assert came_to_nothing(replace(learned, train=Curve((1, 60), (0.65, 0.9))), 0.65)


def test_a_far_higher_rate_is_doubted_after_overfitting_though_in_fewer_epochs():
    overfitted = np.array([[3.0, 8.0, 1.0]])
    hotter = [[2, 1, 9.0], [1, 8, 4.0]]
    others = [
        [2, 8, 2.0],
        [1, 128, 9.0],
        [0.5, 8, 4.0],
        [1, 8, 0.5],
    ]  # less far, gentler a step, less in all, lower
    assert doubt(np.array(hotter), overfitted) == pytest.approx(DOUBT)
    assert doubt(np.array(others), overfitted) == pytest.approx(1.0)
    assert doubt(np.array(hotter), np.empty((0, 3))) == pytest.approx(1.0)


def test_a_proposal_after_overfitting_heeds_the_doubt(monkeypatch):
    rising = job(8, 8, 0.4, ends=(1.6, 1.2, 1.25, 1.4, 1.6, 1.8, 2.0, 2.2))
    space = LISTS | {"n_epochs": [2, 3], "learning_rate_multiplier": [0.1, 1.6, 3.2]}
    asked = []
    monkeypatch.setattr(
        engine, "_score", lambda values, liked, task: asked.append(liked) or values.improvement
    )
    ask([rising], space)
    assert {DOUBT, 1.0} <= set(asked[0])
