"""What a proposal expects in figures, and where it tells none: what was measured, forecasts, chances."""

import itertools
import math
import re

import numpy as np
import pytest
from propose_jobs import LISTS, RANGES, ask, job

from advisor.nouns import Job, SearchSpace
from advisor.propose import forecast
from advisor.propose.acquire import percent
from advisor.propose.calibration import Said, came_of, came_true, widths
from advisor.propose.series import given
from advisor.propose.task import understand

SAID = Said(0.5, 0.1, 0.2, 1)
UNKNOWN = "uncertain, and no forecast: neither this task's jobs nor earlier tasks tell of "


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({"learning_rate_multiplier": [1e6]}, "learning rate multiplier 1e+06"),
        ({"n_epochs": [500]}, "epochs 500"),
        ({"batch_size": [4096]}, "batch size 4096"),
    ],
)
@pytest.mark.parametrize("prior", [None, False])
def test_beyond_all_that_tables_and_jobs_know_nothing_is_forecast(space, told, prior):
    made, others = ask([job()], LISTS | space, prior=prior)
    assert made[0].expect.startswith(UNKNOWN + told)
    assert not any("8 in 10" in p.expect or "%" in p.expect for p in [*made, *others])
    assert "curves" not in made[0].expect, "no curve carries it"


def test_a_job_that_went_there_makes_a_far_setting_known():
    made, _ = ask([job(), job(epochs=400, name="far", ends=(1.5, 1.4))], LISTS | {"n_epochs": [500]})
    assert "8 in 10" in made[0].expect


def test_jobs_that_blew_up_are_not_said_to_have_told_no_loss():
    rising = [[s, 2 + 0.1 * s] for s in range(1, 31)]
    blown = job(ends=(4.0, 5.0, 6.0), base_valid_loss=2.0, train_loss=rising)
    expect = ask([blown])[0][0].expect
    assert "no validation loss of a job that came to a good end" in expect


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


@pytest.mark.parametrize("jobs", NO_LOSSES.values(), ids=NO_LOSSES)
def test_without_losses_no_curve_of_this_task_is_said_to_carry_a_proposal(jobs):
    assert "curves" not in ask(jobs)[0][0].expect


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


def test_validation_losses_too_large_to_be_read_are_not_replaced_by_training_losses_without_a_word():
    made, _ = ask([job(ends=(1e300, 1e299, 1e298))])
    assert made[0].forecast is None
    assert "no validation loss" in made[0].expect


def test_where_a_gain_that_matters_is_likely_the_middle_lies_below_it():
    """More likely than not to end by 2 % of the gain below the best: then so does the middle, where it is told."""
    for epochs, rate, end in [(5, 0.4, 1.31), (3, 0.4, 1.9), (3, 1.6, 1.2), (8, 0.1, 2.4), (2, 0.4, 1.0)]:
        tried = job(epochs, 8, rate, ends=(2.4, 0.5 * (2.4 + end), end))
        for objective in ("final", "best_checkpoint"):
            made, others = ask([tried], objective=objective)
            for f in (p.forecast for p in [*made, *others] if p.forecast and p.forecast.middle):
                below = f.best - 0.02 * (3.0 - f.best)
                assert f.chance < 0.5 or f.middle < below


@pytest.mark.parametrize(
    ("chance", "middle", "told"),
    [(0.51, 1.2, True), (0.51, 1.299, False), (0.51, 1.31, False), (0.49, 1.31, True), (0.49, 1.299, False)],
)
def test_the_middle_is_told_where_the_corrected_chance_agrees_with_it(monkeypatch, chance, middle, told):
    """The best is 1.3, and 2 % of the gain below it about 1.26."""
    task = understand([job(ends=(2.4, 1.8, 1.3))], SearchSpace.from_record(LISTS))
    monkeypatch.setattr(forecast, "came_true", lambda _: chance)
    monkeypatch.setattr(forecast, "likely_range", lambda _: np.array([[0.8, middle, 2.0]]))
    made = forecast.foretell(np.array([3.0, 8.0, 0.4]), SAID, task, "learning_rate_multiplier")
    assert made.middle == (middle if told else None)


@pytest.mark.parametrize(("first", "told"), [(2.999, False), (2.9, True)])
def test_a_range_rests_on_a_loss_that_is_clearly_lower_than_before_training(first, told):
    made, _ = ask([job(ends=(first, 3.3, 3.4))])
    assert (made[0].forecast.low is not None) is told


@pytest.mark.parametrize("ends", [(90.0, 40.0), (40.0, 90.0)])
def test_of_jobs_far_above_the_loss_before_training_the_best_so_far_is_the_lowest(ends):
    """Both count as much to the surrogate, which is not told of more than some times the loss before training."""
    hot = [job(ends=(5.0, 9.0, e), rate=r, name=f"job-{r}") for e, r in zip(ends, (3.2, 6.4), strict=True)]
    assert "best so far 40 " in ask(hot)[0][0].expect


def test_where_no_loss_lay_below_the_one_before_training_no_range_is_told():
    """How much there is to be gained is not known: a range would be that of the tables' smallest gain."""
    hot, hotter = job(ends=(3.2, 3.6, 4.0), rate=1.6), job(ends=(4.0, 9.0, 9.9), rate=3.2, name="job-1")
    made, others = ask([hotter, hot])
    assert (
        "no validation loss lay below 3, where training began, so no range; best so far 4 (3.2 at a"
        in made[0].expect
    )
    assert made[0].forecast.low is None
    assert made[0].forecast.chance > 0.5
    assert all(p.expect.split(";")[0].endswith("chance of a gain above 2%") for p in others)


def test_what_is_told_keeps_the_order_of_what_is_said():
    """In every state the likelier and the more promising setting stays so."""
    for missing, ended in itertools.product((0.0, 0.02, 0.2, 0.7), (0, 1, 3, 10, 40)):
        chances = [came_true(Said(c, 0.02, missing, ended)) for c in (0.0, 0.05, 0.3, 0.7, 1.0)]
        gains = [came_true(Said(0.3, g, missing, ended)) for g in (0.0, 0.001, 0.01, 0.1, 0.5)]
        assert chances == sorted(chances)
        assert gains == sorted(gains)
        assert 0 < chances[0] < chances[-1] < 1


def test_a_chance_is_trusted_less_after_more_jobs_and_where_little_of_what_is_missing_would_come():
    told = [came_true(Said(0.5, 0.02, 0.05, ended)) for ended in (1, 2, 5, 10)]
    assert told == sorted(told, reverse=True)
    assert came_true(Said(0.5, 0.02, 0.03, 5)) > came_true(Said(0.5, 0.02, 0.3, 5))


def test_after_one_job_nearly_what_is_said_is_told():
    """Of loops' second jobs 77 of 100 brought a gain that matters; 77 % had been said, and 82 % are told."""
    assert came_true(Said(0.8, 0.3, 0.35, 1)) == pytest.approx(0.8, abs=0.1)


def test_a_gain_is_told_as_less_where_its_chance_is_and_never_as_more():
    for said in (Said(0.5, 0.02, 0.05, 10), Said(0.01, 0.001, 0.01, 1)):
        assert 0 < came_of(said) <= said.gain
    assert came_of(Said(0.5, 0.02, 0.2, 10)) < 0.006
    assert came_of(Said(0.5, 0.0, 0.05, 10)) == 0.0


def test_the_range_is_wider_below_where_little_is_thought_to_be_missing():
    """There jobs ended far below what the surrogate took for the floor."""
    below = [widths(Said(0.3, 0.01, missing, 5))[0] for missing in (0.3, 0.1, 0.01)]
    assert below == sorted(below)
    assert below[-1] > 2


def test_without_earlier_tasks_all_is_told_as_it_is_said():
    alone = Said(0.8, 0.1, 0.2, 9, prior=False)
    assert (came_true(alone), came_of(alone), widths(alone)) == (0.8, pytest.approx(0.1), (1.0, 1.0))


@pytest.mark.parametrize(
    ("chance", "low", "high"),
    [(0.05, 1.25, 1.6), (0.5, 1.1, 1.6), (0.95, 1.1, 1.25)],
)
def test_range_and_chance_say_the_same(monkeypatch, chance, low, high):
    """Of ten losses one is lower than the range and one higher: a chance of a tenth, or of nine, tells one of its ends."""
    task = understand([job(ends=(2.4, 1.8, 1.3))], SearchSpace.from_record(LISTS))
    monkeypatch.setattr(forecast, "came_true", lambda _: chance)
    monkeypatch.setattr(forecast, "widths", lambda _: (1.0, 1.0))
    monkeypatch.setattr(forecast, "likely_range", lambda _: np.array([[1.1, 1.2, 1.6]]))
    made = forecast.foretell(np.array([3.0, 8.0, 0.4]), SAID, task, "learning_rate_multiplier")
    assert (made.low, made.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


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


@pytest.mark.parametrize("spread", [0.02, 0.05, 0.1])
def test_a_range_and_a_chance_do_not_contradict_each_other(spread):
    """Where one job in ten and more ends no better than the best, eight in ten do not all end below it."""
    fall = [1.1 + 1.2 * math.exp(-2 * epoch) for epoch in (1, 2, 3)]
    train = [[step, 0.9 + 1.4 * math.exp(-step / 5)] for step in range(1, 31)]
    seeds = [
        job(rate=1.0, ends=[v + off * spread for v in fall], name=f"job-{off}", train_loss=train)
        for off in (-1, 0, 1)
    ]
    made = ask(seeds, RANGES)[0][0]
    told = re.search(r"to ([\d.]+)\)?, best so far ([\d.]+).*?(\d+)% chance", made.expect)
    high, best, chance = map(float, told.groups())
    assert chance < 90
    assert high >= best


def test_a_small_gain_is_not_taken_for_a_job_half_done():
    """What tuning takes off a pretrained model's loss may be a twentieth of it: four settings that agree on that are believed."""
    jobs = [
        job(epochs, batch, rate, ends=(2.9, 2.86, 2.85 + 0.002 * epochs), name=f"job-{epochs}-{batch}")
        for epochs, batch, rate in ((3, 8, 0.4), (5, 4, 0.4), (8, 16, 1.6), (2, 4, 1.6))
    ]
    low, high = re.search(r"8 in 10: ([\d.]+) to ([\d.]+)", ask(jobs)[0][0].expect).groups()
    assert 2.6 < float(low) < float(high) < 3.0


@pytest.mark.parametrize(
    ("examples", "steps", "batch"),
    [
        (400, 50, 8.0),
        (401, 51, 8.0),
        (100, 12, None),  # 8, or 9 of which the last batch is uneven
        (100, 13, 8.0),
        (10, 4, 3.0),
        (400, 1, None),
        (10, 11, None),
        (400, 50.5, None),
        (None, 50, None),
    ],
)
def test_the_steps_of_an_epoch_tell_the_batch_size_where_one_alone_takes_so_many(examples, steps, batch):
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": 1.0}
    record = {
        "hyperparameters": auto,
        "n_train_examples": examples,
        "steps_per_epoch": steps,
        "total_steps": 3 * steps,
    }
    found = given(Job.from_record(record), "learning_rate_multiplier")
    assert found[0] == 3
    assert np.isnan(found[1]) if batch is None else found[1] == batch


@pytest.mark.parametrize("end", [0.3, 0.045, 0.003])
def test_no_loss_below_nought_is_foretold_nor_a_chance_of_one(end):
    """Of the last two no gain of 2 % of 3.0 is left."""
    made, others = ask([job(ends=(1.0, end)), job(epochs=5, name="job-1", ends=(1.2, 1.1 * end))])
    told = [p.forecast for p in [*made, *others]]
    assert all(0 <= f.low < f.high for f in told)
    assert all((f.chance > 0) is (end > 0.06) for f in told)
