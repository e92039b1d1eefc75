"""What a job's losses are worth as evidence: one that swings from step to step tells less than one that falls smoothly."""

import math
import warnings

import numpy as np
import pytest
from propose_jobs import LISTS, job

from advisor.nouns import SearchSpace
from advisor.propose.acquire import likely_range
from advisor.propose.observe import END, observe
from advisor.propose.scale import WORST
from advisor.propose.series import came_to_nothing, total_steps
from advisor.propose.task import understand

EPOCHS = 12
SMOOTH = 1.0 + 1.5 * np.exp(-np.arange(1, EPOCHS + 1) / 3)


def ends(noise, seed=0):
    return tuple(SMOOTH + noise * np.random.default_rng(seed).normal(size=EPOCHS))


def swing(losses):
    valid, _ = observe([job(epochs=len(losses), ends=losses)], "learning_rate_multiplier", 1.0, 3.0)
    return valid.swing[-1]


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.4])
def test_the_swing_of_single_losses_is_estimated_from_the_curve(noise):
    found = [swing(ends(noise, seed)) for seed in range(200)]
    assert np.median(found) == pytest.approx(noise, rel=0.25)


def test_single_batches_and_best_checkpoints_hide_no_swing():
    noise = 0.1
    curve = [[s, 1.0 + noise * x] for s, x in enumerate(np.random.default_rng(0).normal(size=200), start=1)]
    batches = job(epochs=12, full_valid_loss=[], valid_loss=curve)
    whole = job(epochs=12, full_valid_loss=curve)
    seen = [
        observe([j], "learning_rate_multiplier", 1.0, 3.0, best=best)[0].swing[-1]
        for j, best in ((batches, False), (whole, True))
    ]
    assert seen == pytest.approx([noise / math.sqrt(3), noise], rel=0.25)


def test_a_smooth_fall_and_a_few_points_show_no_swing():
    assert swing(tuple(SMOOTH)) < 0.01
    assert swing((2.0, 1.0, 2.0, 1.0, 2.0)) == 0.0


def test_less_is_foretold_from_a_loss_that_swings():
    """The setting itself again: within its swing of where it ended, and no surer than that."""
    space = SearchSpace.from_record(LISTS)
    same = np.array([[EPOCHS, 8, 0.4]])
    width = []
    for noise in (0.0, 0.3):
        low, _, high = likely_range(understand([job(epochs=EPOCHS, ends=ends(noise))], space).predict(same))[
            0
        ]
        width.append(high - low)
    assert width[1] > 1.5 * width[0]


def test_jobs_of_one_setting_show_how_uncertain_an_end_is():
    """Three seeds of one setting: what they differ by counts for the ends of other settings too."""
    seeds = [job(ends=(2.0, 1.5, 1.3 + off), name=f"job-{i}") for i, off in enumerate((-0.2, 0.0, 0.2))]
    other = job(epochs=5, ends=(2.0, 1.5, 1.4), name="other")
    alone, _ = observe([seeds[0], other], "learning_rate_multiplier", 1.0, 3.0)
    together, _ = observe([*seeds, other], "learning_rate_multiplier", 1.0, 3.0)
    ends = together.kind == END
    assert not alone.swing.any()
    assert together.swing[ends] == pytest.approx(0.2)
    assert not together.swing[~ends].any()


LITTLE = [job(ends=(2.9, 2.85, 2.83), name="mild"), job(rate=1.6, ends=(3.2, 3.6, 3.9), name="hot")]


def test_no_forecast_lies_above_the_cap_on_losses():
    """Of how bad a setting may be nothing is known beyond it."""
    task = understand(LITTLE, SearchSpace.from_record(LISTS))
    loss, _ = task.predict(np.array([[3.0, 8.0, 1.6], [12.0, 4.0, 1.6]])).nodes()
    cap = task.guesses.floor + WORST * task.guesses.gain
    assert (loss.max(axis=(1, 2)) <= cap * (1 + 1e-9)).all()
    assert np.isclose(loss.max(axis=(1, 2)), cap).any()


def test_a_job_that_ended_badly_does_not_say_that_much_is_to_be_gained():
    """From 3.0 one job fell to 2.83: that another rose by five times as much speaks for no low floor."""
    guesses = understand(LITTLE, SearchSpace.from_record(LISTS)).guesses
    order = np.argsort(guesses.floor)
    middle = guesses.floor[order][np.searchsorted(np.cumsum(guesses.weight[order]), 0.5)]
    assert middle > 2.7  # 2.76; 2.52 where the losses above the cap are taken at their word


def test_repeats_that_swing_by_themselves_are_as_uncertain_as_they_swing():
    """Two seeds that happen to end alike do not make their single losses any steadier."""
    seeds = [job(epochs=EPOCHS, ends=(*ends(0.4, seed=1)[:-1], 1.1), name=f"job-{i}") for i in range(2)]
    valid, _ = observe(seeds, "learning_rate_multiplier", 1.0, 3.0)
    assert valid.swing[valid.kind == END].min() > 0.1


def test_a_spike_that_passes_is_no_observation():
    """Validation stood above the loss before training once, and came back."""
    spiked = job(epochs=5, ends=(1.5, 1.35, 3.6, 1.28, 1.27))
    seen, _ = observe([spiked], "learning_rate_multiplier", 1.0, 3.0)
    assert sorted(seen.loss) == [1.27, 1.28, 1.35, 1.5]
    rising = job(epochs=5, ends=(1.5, 1.35, 1.6, 3.6, 3.7))
    assert len(observe([rising], "learning_rate_multiplier", 1.0, 3.0)[0]) == 5


@pytest.mark.parametrize(("training", "blown"), [((2.0, 1.2, 6.0, 7.0), True), ((2.0, 1.2, 0.6, 0.2), False)])
def test_a_job_that_blew_up_after_it_had_learned_is_no_observation(training, blown):
    """Where training fell it learned by heart: that is what much overfitting looks like."""
    late = job(
        epochs=4, ends=(1.5, 1.3, 4.5, 7.9), train_loss=[[10 * i, v] for i, v in enumerate(training, 1)]
    )
    assert came_to_nothing(late, 3.0) == blown
    assert came_to_nothing(job(epochs=4, ends=(1.5, 1.3, 4.5, 7.9), train_loss=[]), 3.0) is False


def test_no_floor_lies_above_what_was_seen_but_by_luck():
    """Half a percent of the gain so far; with 2 % loops took longer to see how much was left."""
    tried = job(ends=(2.0, 1.4, 1.2))
    floor = understand([tried], SearchSpace.from_record(LISTS)).guesses.floor
    assert 1.2 - 0.05 * 1.8 < floor.max() <= 1.2 + 0.006 * 1.8


@pytest.mark.parametrize(
    ("fields", "steps"),
    [
        ({"total_steps": 60}, 60),
        ({"total_steps": None}, 40),  # 4 epochs of 80 examples, 8 at once
        ({"total_steps": 10}, 40),  # of another run: this one is past it
        ({"total_steps": None, "n_train_examples": None}, 15),
        ({"total_steps": None, "n_train_examples": None, "steps_per_epoch": 12}, 48),
        ({"total_steps": None, "status": "succeeded"}, 15),
        ({"total_steps": 60, "status": "succeeded"}, 60),  # stopped early
    ],
)
def test_the_steps_of_a_whole_job_are_as_told_or_as_its_epochs_have(fields, steps):
    with warnings.catch_warnings(action="ignore"):
        running = job(4, full_valid_loss=[[15, 2.0]], **{"status": "running"} | fields)
    assert total_steps(running, 15) == steps
