"""After jobs that blew up, failed or showed that the usual rates are not theirs: the next one goes another way."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from propose_jobs import RANGES, ask, job

from advisor import SearchSpace, advise
from advisor.nouns import Job
from advisor.propose.failed import AS_HOT, BLOWN_IN_A_ROW, IN_A_ROW, LARGER, SAME_BATCH, likeness
from advisor.propose.limits import heat, survival
from advisor.propose.rates import reference_by, reference_rate
from advisor.propose.warm import TOO_HOT, too_hot_elsewhere

ABSOLUTE = {**RANGES, "learning_rate": {"min": 1e-6, "max": 1e-3}}
del ABSOLUTE["learning_rate_multiplier"]
NO_LOSS = {"train_loss": [], "full_valid_loss": []}


def absolute(rate, epochs=3, batch=8, **fields) -> Job:
    knobs = {"n_epochs": epochs, "batch_size": batch, "learning_rate": rate}
    return job(epochs, batch, hyperparameters=knobs, **fields)


def blown(rate, batch=8, name="blown") -> Job:
    nan = [[s, math.nan] for s in (10, 20, 30)]
    return absolute(rate, batch=batch, name=name, train_loss=nan, full_valid_loss=nan)


def asked(jobs, space=ABSOLUTE):
    return advise(jobs, SearchSpace.from_record(space)).proposal


@pytest.mark.parametrize("rate", [1e-5, 2e-5, 1e-4, 5e-4])
@pytest.mark.parametrize("batch", [4, 8, 32])
def test_a_blown_up_job_is_followed_by_one_at_half_its_heat_or_less(rate, batch):
    h = asked([blown(rate, batch)]).hyperparameters
    assert h.learning_rate / math.sqrt(h.batch_size) <= rate / math.sqrt(batch) / 2


def test_steps_grow_while_jobs_go_on_blowing_up():
    """Bearable are 3e-6 at batch 8; a step of 0.7 each would need five more jobs from 2e-5, and twelve from 2e-4."""
    for rate in (2e-5, 2e-4):
        jobs, limit = [blown(rate)], 3e-6 / math.sqrt(8)
        for n in range(3):
            h = asked(jobs).hyperparameters
            if h.learning_rate / math.sqrt(h.batch_size) <= limit:
                break
            jobs.append(blown(h.learning_rate, h.batch_size, f"blown-{n}"))
        else:
            pytest.fail(f"from {rate:g} four jobs blew up")


def test_survival_is_sure_at_what_was_proven_nought_at_what_broke_and_falls_between():
    broken = np.array([[3, 4, 0.8]])
    hot = np.array([[3, 4, r] for r in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)])
    chance = survival(hot, broken, proven=float(heat(hot)[1]))
    assert chance[:2] == pytest.approx([1.0, 1.0])
    assert chance[4:] == pytest.approx([0.0, 0.0])
    assert 1 > chance[2] > chance[3] > 0
    twice = np.vstack([broken, [[3, 4, 1.6]]])
    assert survival(hot, twice, 0.0)[2] < survival(hot, broken, 0.0)[2]
    assert survival(hot, broken[:0], 0.0) == pytest.approx(np.ones(6))


@pytest.mark.parametrize(("value", "count"), [(math.inf, 3), (math.nan, 3), (math.inf, 1)])
def test_validation_losses_that_are_no_number_bind_rates_too(value, count):
    broken = absolute(1e-4, train_loss=[], full_valid_loss=[[s + 1, value] for s in range(count)])
    assert asked([broken]).hyperparameters.learning_rate < 1e-4


def test_a_batch_size_that_failed_counts_for_less_and_a_larger_one_too():
    jobs = [absolute(1e-4, batch=16, status="failed", **NO_LOSS)]
    settings = np.array([[3, b, r] for b, r in [(8, 1e-9), (16, 1e-9), (32, 1e-9), (4, 2e-4)]])
    assert likeness(settings, jobs, "learning_rate") == pytest.approx(
        [1, SAME_BATCH, LARGER, AS_HOT], abs=1e-3
    )
    larger, hotter = absolute(1e-9, batch=32, name="larger"), absolute(3e-4, batch=4, name="hotter")
    same = absolute(1e-9, batch=16, name="same")
    told = partial(likeness, settings, rate_name="learning_rate")
    assert told([*jobs, larger]) == pytest.approx([1, SAME_BATCH, 1, AS_HOT], abs=1e-3)
    assert told([*jobs, larger, same, hotter]) == pytest.approx(np.ones(4))
    twice = [*jobs, absolute(5e-5, batch=16, status="failed", name="again", **NO_LOSS)]
    assert told(twice)[1:] == pytest.approx([SAME_BATCH**2, LARGER**2, AS_HOT**2], abs=1e-3)


def test_failures_move_the_batch_and_then_stop_the_loop():
    jobs = []
    batches = []
    batch, rate = 32, 2e-5
    for n in range(IN_A_ROW):
        batches.append(batch)
        jobs.append(absolute(rate, batch=batch, status="failed", name=f"failed-{n}", **NO_LOSS))
        made = asked(jobs)
        assert made.stop == (n == IN_A_ROW - 1)
        batch, rate = made.hyperparameters.batch_size, made.hyperparameters.learning_rate
    assert batches[1] < 32
    assert f"the last {IN_A_ROW} jobs failed" in made.reason
    assert not asked([*jobs, absolute(1e-5, name="ran")]).stop


def test_jobs_that_blow_up_at_ever_lower_rates_end_the_loop():
    jobs = [blown(1e-3 / 4**n, name=f"blown-{n}") for n in range(BLOWN_IN_A_ROW)]
    assert not asked(jobs[1:]).stop
    made = asked(jobs)
    assert made.stop
    assert f"the last {BLOWN_IN_A_ROW} jobs blew up" in made.reason


def test_a_failed_job_with_losses_or_without_known_knobs_is_held_against_none():
    settings = np.array([[3, 8, 1e-4]])
    logged = absolute(1e-4, status="failed")
    auto = job(hyperparameters={"n_epochs": "auto"}, status="failed", **NO_LOSS)
    assert likeness(settings, [logged, auto], "learning_rate") == pytest.approx([1.0])


def test_the_usual_absolute_rate_is_overruled_by_jobs_that_did_better_farther_off():
    space = SearchSpace.from_record({"learning_rate": {"min": 1e-6, "max": 0.1}})
    usual = reference_rate(space)
    slow, fast = absolute(1e-3, ends=(2.9, 2.8, 2.7)), absolute(3e-2, ends=(2.0, 1.5, 1.3), name="fast")
    assert reference_by(space, [slow]) == usual
    assert reference_by(space, [fast]) == usual  # alone it may be as well far too hot
    assert reference_by(space, [slow, fast]) == pytest.approx(3e-2 / 8)
    assert reference_by(space, [fast, absolute(1e-1, ends=(2.9, 2.8, 2.7))]) == usual
    for elsewhere in ({"full_valid_loss": []}, {"full_valid_loss": [], "valid_loss": [[30, 0.1]]}):
        assert reference_by(space, [absolute(3e-5, **elsewhere), absolute(1e-6, **elsewhere), slow]) == usual
    low = [absolute(r, ends=(2.9, 2.8, e)) for r, e in ((1e-5, 2.7), (1e-6, 1.5))]
    assert reference_by(space, low) == pytest.approx(8e-6)
    assert (
        asked([slow, fast], {"learning_rate": {"min": 1e-6, "max": 0.1}}).hyperparameters.learning_rate > 2e-3
    )


def test_a_rate_that_blew_up_on_other_data_is_no_first_choice_here():
    there = {"valid_file": {"path": "a", "sha256": "a" * 64}, "model": "m"}
    here = {"valid_file": {"path": "b", "sha256": "b" * 64}, "model": "m"}
    hot = job(rate=1.0, ends=(3.1, 3.5, 4.6), name="hot", **there)
    slow = job(rate=0.1, ends=(3.0, 3.0, 3.0), name="slow", **here)
    settings = np.array([[3, 8, r] for r in (0.4, 1.0, 2.0)])
    told = too_hot_elsewhere(settings, [hot, slow], "learning_rate_multiplier")
    assert told == pytest.approx([1.0, TOO_HOT, TOO_HOT])
    for other in (replace(hot, model="other"), replace(hot, method="dpo")):
        jobs = [other, replace(slow, method="supervised")]
        assert too_hot_elsewhere(settings, jobs, "learning_rate_multiplier") == pytest.approx(np.ones(3))
    made, _ = ask([hot, slow], RANGES)
    assert made[0].hyperparameters.learning_rate_multiplier < 1.0


@pytest.mark.parametrize(
    "harmless",
    [
        {"ends": (3.0004, 3.001)},  # learned nothing, as cold ones do
        {"ends": (2.5, 3.5, 4.6)},  # overfitted, which is a matter of epochs
        {"ends": (3.1, 3.3), "status": "running"},
        {"ends": (3.1, 2.9, 2.8), "base_valid_loss": None, "train_loss": [[1, 2.0], [30, 1.5]]},
        {"full_valid_loss": [], "valid_loss": [[10, 3.1], [20, 3.2]]},  # of single batches
    ],
)
def test_what_says_nothing_of_heat_on_other_data_takes_no_rate_away(harmless):
    there = job(rate=0.1, name="there", valid_file={"path": "a", "sha256": "a" * 64}, **harmless)
    here = job(rate=0.4, valid_file={"path": "b", "sha256": "b" * 64})
    settings = np.array([[3, 8, r] for r in (0.1, 0.4, 1.0)])
    assert too_hot_elsewhere(settings, [there, here], "learning_rate_multiplier") == pytest.approx(np.ones(3))


def test_heat_that_was_borne_here_or_by_another_job_of_the_model_is_not_too_hot():
    lost, well = (
        job(rate=r, ends=e, name=str(r), valid_file={"path": "a", "sha256": "a" * 64})
        for r, e in ((0.5, (3.1, 3.2)), (1.0, (2.0, 1.0)))
    )
    here = job(rate=0.1, valid_file={"path": "b", "sha256": "b" * 64})
    settings, ones = np.array([[3, 8, r] for r in (0.25, 0.5, 1.0)]), pytest.approx(np.ones(3))
    worth = partial(too_hot_elsewhere, settings, rate_name="learning_rate_multiplier")
    assert worth([lost, here]) == pytest.approx([1.0, TOO_HOT, TOO_HOT])
    assert worth([lost, well, here]) == ones
    assert worth([lost, here], proven=float(heat(settings)[2])) == ones


WIDE = ABSOLUTE | {"learning_rate": {"min": 1e-7, "max": 1.0}}


def test_from_an_absolute_rate_that_blew_up_far_above_the_usual_ones_one_step_leads_there():
    made = asked([blown(0.5)], WIDE).hyperparameters
    assert 1e-5 <= made.learning_rate <= 2e-4


@pytest.mark.parametrize(("lowest", "told"), [(1e-3, False), (5e-5, True)])
@pytest.mark.parametrize("end", [math.nan, 9.0])
def test_lower_rates_are_not_given_up_while_all_were_above_the_usual_ones(lowest, told, end):
    rates = [0.5, 0.2, 0.1, 0.05, 0.01, lowest]
    jobs = [absolute(r, ends=(5.0, end), name=f"job-{r}", train_loss=[]) for r in rates]
    reason = asked(jobs, WIDE).reason or ""
    assert ("a still lower rate will hardly mend it" in reason) is told
