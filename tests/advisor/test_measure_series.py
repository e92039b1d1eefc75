"""Cleaning: what occurs in the wild, and what is left of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.measure.broken import ends_broken
from advisor.measure.series import clean, cleaned_once
from advisor.nouns import Curve

NAN, INF = float("nan"), float("inf")


def curve(*points):
    table = np.array(points, float).reshape(-1, 2)
    return Curve(table[:, 0], table[:, 1])


@pytest.mark.parametrize(
    ("what", "points", "left"),
    [
        ("nothing", [], []),
        ("NaN and inf go", [(1, 2.0), (2, NAN), (3, INF), (4, 1.0)], [(1, 2.0), (4, 1.0)]),
        ("order is by step", [(3, 1.0), (1, 3.0), (2, 2.0)], [(1, 3.0), (2, 2.0), (3, 1.0)]),
        ("several at one step become their mean", [(1, 3.0), (2, 1.0), (2, 2.0)], [(1, 3.0), (2, 1.5)]),
        (
            "a resumed run overlaps",
            [(1, 6.0), (2, 3.0), (3, 2.0), (2, 5.0), (3, 4.0)],
            [(1, 6), (2, 4), (3, 3)],
        ),
        ("no steps at all: the place in the log", [(NAN, 3.0), (NAN, 2.0)], [(0, 3.0), (1, 2.0)]),
        (
            "one step for all: the place in the log",
            [(5, 3.0), (5, 2.0), (5, 1.0)],
            [(0, 3.0), (1, 2.0), (2, 1.0)],
        ),
        (
            "a missing step lies between its neighbours",
            [(1, 3.0), (NAN, 2.0), (3, 1.0)],
            [(1, 3), (2, 2), (3, 1)],
        ),
        ("fractional steps (epochs) stay", [(0.5, 3.0), (1.5, 2.0)], [(0.5, 3.0), (1.5, 2.0)]),
        ("zero is a loss", [(1, 0.0), (2, 0.0), (3, 1.0)], [(1, 0.0), (2, 0.0), (3, 1.0)]),
    ],
)
def test_what_is_left(what, points, left):
    series = clean(curve(*points))
    assert list(zip(series.step, series.loss, strict=True)) == [tuple(map(float, p)) for p in left], what


@pytest.mark.parametrize(
    ("what", "points", "reloaded"),
    [
        ("evaluated at the last step again", [(1, 3.0), (2, 1.5), (3, 2.0), (3, 1.5)], True),
        ("right after it", [(100, 3.0), (200, 1.5), (300, 2.0), (301, 1.5)], True),
        ("after training as long as before, equal to the last bit", [(1, 3.0), (2, 1.512345), (3, 2.0), (4, 1.512345)], True),
        ("after training as long as before, two digits told", [(1, 1.8), (2, 1.4), (3, 1.5), (4, 1.8)], False),
        ("flat at the end", [(1, 3.0), (2, 1.5), (3, 1.5)], False),
    ],
)  # fmt: skip
def test_the_best_model_loaded_back_is_no_point_of_the_run(what, points, reloaded):
    told = list(clean(curve(*points), reload=True).loss)
    assert told == [loss for _, loss in (points[:-1] if reloaded else points)], what
    assert len(clean(curve(*points))) == len({s for s, _ in points}), (
        "a job that still runs loads nothing back"
    )


def test_the_loss_before_training_stands_at_step_zero():
    assert list(clean(curve((10, 2.0), (20, 1.0)), start=3.0).loss) == [3.0, 2.0, 1.0]


def test_a_single_evaluation_keeps_its_step_and_is_no_loss_before_training():
    left = clean(Curve([13], [3.35]), start=3.6)
    assert (left.step.tolist(), left.loss.tolist()) == ([0, 13], [3.6, 3.35])
    assert clean(Curve([13], [3.35])).step.tolist() == [13]


def test_an_evaluation_at_step_zero_is_not_doubled_by_the_loss_before_training():
    assert list(clean(curve((0, 2.9), (20, 1.0)), start=3.0).loss) == [2.9, 1.0]


def test_no_evaluation_means_no_curve_even_with_a_loss_before_training():
    assert len(clean(curve(), start=3.0)) == 0


@pytest.mark.parametrize(
    ("losses", "n_tail"),
    [([2, 1, NAN], 1), ([2, NAN, 1], 0), ([NAN, NAN], 0), ([2, 1], 0), ([1, INF, NAN], 2), ([], 0)],
)
def test_what_follows_the_last_finite_loss_is_counted(losses, n_tail):
    assert clean(curve(*enumerate(losses))).n_tail == n_tail


@pytest.mark.parametrize(
    ("train", "valid", "running", "broke"),
    [
        ([2, 1, NAN], [], False, (True, False)),
        ([2, 1, NAN], [], True, (False, False)),  # a value that comes a step late
        ([2, 1, NAN, NAN, NAN], [], True, (True, False)),
        ([2, 1, INF], [], True, (True, False)),
        ([2, 1, NAN], [2, 1, 1], False, (False, False)),  # the model is alive at the end
        ([2, 1, NAN, NAN], [2, 1], False, (True, False)),
        ([2, 1, 1], [2, 1, NAN], False, (False, True)),  # a training loss is taken before its step's update
        ([2, 1, 1, 1], [2, 1, NAN], False, (False, False)),
        ([NAN, NAN, NAN], [], False, (True, False)),  # never was a number
        ([NAN, NAN, NAN], [NAN], True, (True, False)),
        ([NAN, NAN], [], False, (False, False)),
        ([NAN, NAN, NAN], [2, 1], False, (False, False)),  # not logged: the model is alive
    ],
)
def test_a_job_that_broke_off_is_told_from_a_log_that_lacks_values(train, valid, running, broke):
    series = [clean(curve(*enumerate(losses, 1))) for losses in (train, valid)]
    assert ends_broken(*series, running=running) == broke


numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 50).map(float))


@given(st.lists(st.tuples(numbers, numbers), max_size=40))
def test_any_curve_becomes_finite_and_ascending(points):
    series = clean(curve(*points))
    assert np.isfinite(series.loss).all()
    assert (np.diff(series.step) > 0).all()
    assert series.n_logged == len(points)


def test_inside_cleaned_once_a_curve_is_cleaned_once_each_way_and_no_other_is_taken_for_it():
    curve = Curve([1, 2, 3], [3.0, 2.0, 1.0])
    with cleaned_once():
        assert clean(curve) is clean(curve)
        assert clean(curve, 4.0).loss.tolist() == [4.0, 3.0, 2.0, 1.0]
        found = [
            clean(Curve([1, 2], [float(k), 0.5])).loss[0] for k in range(50)
        ]  # freed at once, were it not kept
        assert found == list(range(50))
    assert clean(curve) is not clean(curve)
