"""What the advisor accepts as a job record: lenient values, strict types, all errors together."""

import math

import numpy as np
import pytest

import advisor
from advisor.space_record import by_the_rates_of, default_space, read_space


def job(**fields):
    return advisor.Job.from_record({"hyperparameters": {}, **fields})


@pytest.mark.parametrize("unresolved", ["auto", "AUTO", -1, None])
def test_a_knob_that_the_provider_has_not_resolved_is_none(unresolved):
    assert job(hyperparameters={"n_epochs": unresolved}).hyperparameters.n_epochs is None


@pytest.mark.parametrize(
    ("logged", "loss"),
    [(2, 2.0), (2.5, 2.5), (None, math.nan), ("NaN", math.nan), ("Infinity", math.inf), (math.nan, math.nan)],
)
def test_a_loss_may_be_written_in_many_ways(logged, loss):
    np.testing.assert_equal(job(train_loss=[[1, logged]]).train.loss, [loss])


def test_steps_may_be_fractional_repeated_and_out_of_order():
    assert job(train_loss=[[2.5, 1], [1, 2], [1, 3]]).train.step.tolist() == [2.5, 1, 1]


def test_unknown_and_missing_fields_are_no_errors():
    assert advisor.Job.from_record({"colour": "blue"}) == advisor.Job()


def test_all_errors_of_a_record_come_together_and_name_the_value():
    with pytest.raises(advisor.RecordError) as caught:
        job(id="j", train_loss=3, n_train_examples="many", hyperparameters={"batch_size": "big"})
    assert len(caught.value.problems) == 3
    for word in ("train_loss", "'many'", "'big'"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"n_epochs": []},
        {"n_epochs": ["3"]},
        {"n_epochs": [10**400]},
        {"batch_size": {"min": 8, "max": 4}},
        {"n_epochs": 3},
        {"batch_size": [2.5]},
        {"n_epochs": [1, 2.5]},
    ],
)
def test_a_space_that_makes_no_sense_is_refused(bad):
    with pytest.raises(advisor.RecordError, match=next(iter(bad))):
        advisor.SearchSpace.from_record(bad)


def test_a_list_gives_the_allowed_values_and_a_range_its_limits():
    space = read_space(
        {"n_epochs": [3, 1, 2], "batch_size": {"min": 1, "max": 64}, "learning_rate": [1e-5, 1e-4]}
    )
    assert space.n_epochs.values == (1, 2, 3)
    assert space.batch_size.nearest(5.4) == 5
    assert space.batch_size.nearest(1000) == 64
    assert space.rate_name == "learning_rate"
    assert space.rate.nearest(3e-5) == 1e-5
    assert not space.rate.contains(3e-5)


def test_a_step_or_loss_beyond_all_reason_is_no_number():
    """Sums and squares of such values overflow, and no training gives them."""
    curve = job(train_loss=[[1e300, 2.0], [1e-300, -1e300], [3, 1.0]]).train
    assert math.isnan(curve.step[0])
    assert curve.step[1] == 0
    assert list(curve.loss) == [2.0, -math.inf, 1.0]
    assert job(base_valid_loss=1e308).base_valid_loss is None


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            {"batchsize": [4], "epochs": [1]},
            ["space.batchsize is no knob", "space.epochs", "expected n_epochs"],
        ),
        (
            {"learning_rate": [1e-4], "learning_rate_multiplier": [1]},
            ["both learning_rate_multiplier and learning_r"],
        ),
    ],
)
def test_a_limit_that_would_not_hold_is_refused(bad, told):
    with pytest.raises(advisor.RecordError) as caught:
        read_space(bad)
    assert all(words in str(caught.value) for words in told)


@pytest.mark.parametrize(
    ("jobs", "name", "most"),
    [
        ([("gpt-4o-mini", {"learning_rate_multiplier": 1})], "learning_rate_multiplier", 10),
        ([("davinci-002", {"learning_rate_multiplier": 0.1})], "learning_rate_multiplier", 0.2),
        ([("ft:babbage-002:org::id", {"learning_rate_multiplier": 0.1})], "learning_rate_multiplier", 0.2),
        ([("davinci-like", {"learning_rate": 1e-4})], "learning_rate", 0.1),
        (
            [(None, {"learning_rate": 1e-4}), (None, {"learning_rate_multiplier": 1})],
            "learning_rate_multiplier",
            10,
        ),
        (
            [(None, {"learning_rate_multiplier": 1}), (None, {"learning_rate": 1e-4}), (None, {})],
            "learning_rate",
            0.1,
        ),
    ],
)
def test_a_space_that_nobody_gave_has_the_newest_jobs_scale_of_rates(jobs, name, most):
    space = default_space([job(model=model, hyperparameters=knobs) for model, knobs in jobs])
    assert (space.rate_name, space.rate.high) == (name, most)


def test_a_providers_rates_stand_where_no_job_says_its_own():
    of_nebius = read_space({"learning_rate": {"min": 1e-6, "max": 1e-3}})
    assert by_the_rates_of([job()], of_nebius) is of_nebius
    told = by_the_rates_of([job(hyperparameters={"learning_rate_multiplier": 1})], of_nebius)
    assert told.rate_name == "learning_rate_multiplier"


@pytest.mark.parametrize("value", [-4, -0.5, 0, 2.5, math.inf])
def test_a_setting_that_no_job_can_have_is_told(value):
    with pytest.warns(UserWarning, match="batch_size is .*expected a positive whole number"):
        assert job(hyperparameters={"batch_size": value}).hyperparameters.batch_size is None


@pytest.mark.filterwarnings("error")
def test_what_stands_for_not_resolved_is_taken_without_a_word():
    for value in ("auto", -1, None):
        job(hyperparameters={"n_epochs": value})


@pytest.mark.parametrize("knob", ["n_epochs", "batch_size", "learning_rate"])
def test_a_knob_that_is_no_number_is_told_and_taken_as_not_known(knob):
    with pytest.warns(UserWarning, match=f"hyperparameters.{knob} is nan"):
        assert getattr(job(hyperparameters={knob: math.nan}).hyperparameters, knob) is None


@pytest.mark.parametrize(
    "points",
    [
        [],
        [[1, 2.0], (2, 1)],
        [[0, math.nan], [1, math.inf]],
        [[1e300, 2.0], [1e-300, -1e300], [3, 1.0]],
        [[-0.0, 1.0], [1e-12, 1.0]],
        [[-2, 1.5], [-1, 1.2]],
    ],
)
def test_a_curve_of_bare_numbers_is_read_as_any_other(points):
    """The quick way and the slow one give the same curve; a null value at the end forces the slow one."""
    quick, slow = job(train_loss=points).train, job(train_loss=[*points, [9, None]]).train
    np.testing.assert_array_equal(quick.step, slow.step[:-1])
    np.testing.assert_array_equal(quick.loss, slow.loss[:-1])


@pytest.mark.parametrize(
    ("losses", "left"),
    [
        ([-1, -1, -1], []),
        ([2.0, -1, 1.5, -1.0], [2.0, 1.5]),
        ([0.5, -1, -2.5], [0.5, -1, -2.5]),  # a loss that is negative elsewhere may be -1
    ],
)
def test_minus_one_stands_for_a_loss_that_was_not_measured(losses, left):
    assert list(job(full_valid_loss=[[i, v] for i, v in enumerate(losses)]).full_valid.loss) == left


def test_a_negative_step_says_nothing_of_its_place():
    assert np.isnan(job(train_loss=[[-3, 2.0], [-2, 1.0]]).train.step).all()


@pytest.mark.parametrize("row", [[1, True], [True, 1.0], [1, 10**400], [1], [1, "x"], 3, "ab"])
def test_a_point_of_another_type_is_refused_among_many(row):
    with pytest.raises(advisor.RecordError, match=r"train_loss\[50\]"):
        job(train_loss=[*([i, 1.0] for i in range(50)), row])


@pytest.mark.parametrize(
    ("told", "status"),
    [("completed", "succeeded"), ("FINISHED", "succeeded"), ("Failed", "failed"), ("errored", "failed"), ("KILLED", "cancelled"),
     ("canceled", "cancelled"), ("In progress", "running"), ("validating_files", "queued"), ("", None), (None, None)],
)  # fmt: skip
def test_a_status_is_known_by_the_words_that_others_have_for_it(told, status):
    assert job(status=told).status == status


def test_a_status_that_nobody_has_is_said():
    with pytest.warns(UserWarning, match="status is 'gone fishing'; expected one of succeeded, failed, "):
        assert job(status="gone fishing").pending


def test_a_key_in_the_wrong_place_is_not_told():
    with pytest.raises(advisor.RecordError) as error:
        job(hyperparameters={"learning_rate": "sk-proj-abcdefghijklmnopqrstuvw"})
    assert "abcdef" not in str(error.value)
    assert "31 long (str)" in str(error.value)
