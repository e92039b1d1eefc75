"""Shapes: closed forms, slow obvious twins, and what noise may do."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from advisor.measure.series import Series
from advisor.measure.shape import PARTS, SPIKED, _line, _parts, _rising, _without_spikes, shape


def series(loss, step=None):
    loss = np.asarray(loss, float)
    return Series(np.arange(1, len(loss) + 1.0) if step is None else np.asarray(step, float), loss)


losses = st.lists(st.floats(0.01, 100), min_size=2, max_size=12)


def slow_monotone(level, sign):
    """Isotonic regression by its min-max formula: the twin of pooling."""
    n = len(level)
    y = sign * np.asarray(level)
    return sign * np.array(
        [max(min(y[a : b + 1].mean() for b in range(i, n)) for a in range(i + 1)) for i in range(n)]
    )


def slow_line(level):
    """Every way to fall up to one point and rise after it, by the slow formula."""
    fits = []
    for turn in range(len(level)):
        after = slow_monotone(level[turn + 1 :], 1) if turn + 1 < len(level) else []
        fits.append(np.append(slow_monotone(level[: turn + 1], -1), after))
    return min(float(np.sum((f - level) ** 2)) for f in fits)


@settings(deadline=None, max_examples=60)
@given(losses)
def test_the_line_is_the_nearest_that_falls_and_then_rises(loss):
    level = np.array(loss)
    line, turn = _line(level)
    assert (np.diff(line[: turn + 1]) <= 1e-9).all()
    assert (np.diff(line[turn:]) >= -1e-9).all()
    assert float(np.sum((line - level) ** 2)) == pytest.approx(slow_line(level), abs=1e-6)


@given(losses)
def test_pooling_agrees_with_scipy(loss):
    assert _rising(np.array(loss)) == pytest.approx(isotonic_regression(loss).x)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=200))
def test_parts_are_means_over_equal_numbers_of_points(loss):
    s = series(loss)
    step, level, size = _parts(s)
    cuts = [round(i * len(loss) / len(level)) for i in range(len(level) + 1)]
    slow = [np.mean(loss[a:b]) for a, b in pairwise(cuts)]
    assert level == pytest.approx(np.array(slow))
    assert len(level) == min(PARTS, len(loss))
    assert size == pytest.approx(len(loss) / len(level))
    assert (np.diff(step) > 0).all()


def test_one_outlier_makes_no_level_but_the_first_drop_stays():
    level = np.array([9.0, 2, 2, 2, 0.1, 2, 2, 2, 2, 2, 2, 2])
    assert len(level) == SPIKED
    assert list(_without_spikes(level)) == [9.0] + [2.0] * 11


def test_the_end_of_a_straight_fall_stays():
    level = np.linspace(3, 1, 14)
    assert _without_spikes(level) == pytest.approx(level)


def test_a_smooth_valley_in_closed_form():
    s = shape(series([5.0, 3.0, 1.0, 2.0, 4.0]))
    assert (s.n, s.start, s.best, s.best_step, s.end, s.top) == (5, 5.0, 1.0, 3.0, 4.0, 5.0)
    assert (s.fall, s.rise) == (4.0, 3.0)
    assert s.noise == s.swing == 0.0


def test_late_fall_is_the_line_from_two_thirds_of_the_steps_on():
    s = shape(series([4.0, 3.0, 2.0, 1.0], step=[0, 30, 60, 90]))
    assert s.late_fall == pytest.approx(1.0)
    assert shape(series([1.0, 2.0, 3.0, 4.0], step=[0, 30, 60, 90])).late_fall == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("what", "loss", "last_fall"),
    [
        ("a straight fall has a fifth of it there", np.linspace(3, 1, 11), 0.4),
        (
            "one low point at the end is not believed beyond the last half's course",
            [3, 1, 1, 1, 1, 1, 1, 1, 1, 0.5],
            0.2,
        ),
        ("a rise is no fall", [3, 1, 1.2, 1.4, 1.6, 1.8], 0.0),
    ],
)
def test_the_last_fall_that_the_eye_believes(what, loss, last_fall):
    assert shape(series(loss)).last_fall == pytest.approx(last_fall), what


@pytest.mark.parametrize("n", [30, 100, 500])
@pytest.mark.parametrize("trend", [0.0, -1.0, 1.0])
def test_noise_is_recovered_within_a_third(n, trend):
    """Over 40 draws the mean estimate is within a third of the truth: it decides by factors of three."""
    r = np.random.default_rng(0)
    found = [shape(series(3 + trend * np.linspace(0, 1, n) + r.normal(0, 0.1, n))).noise for _ in range(40)]
    assert 0.067 < np.mean(found) < 0.133


def test_a_steep_drop_in_the_first_part_is_neither_noise_nor_swing():
    loss = np.append(np.geomspace(20, 0.01, 6), np.full(94, 0.01))
    s = shape(series(loss))
    assert s.noise < 1e-6
    assert s.swing < 0.05


@pytest.mark.parametrize("loss", [[], [1.0]])
def test_less_than_two_points_have_no_shape(loss):
    assert shape(series(loss)) is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=60), st.sampled_from([0.001, 10.0, 1000.0]))
def test_figures_scale_with_the_loss(loss, factor):
    a, b = shape(series(loss)), shape(series(np.array(loss) * factor))
    for figure in (
        "start",
        "best",
        "end",
        "top",
        "noise",
        "fall",
        "rise",
        "late_fall",
        "last_fall",
        "mean",
        "swing",
    ):
        assert getattr(b, figure) == pytest.approx(
            factor * getattr(a, figure), rel=1e-6, abs=1e-6 * factor * max(loss)
        )


@pytest.mark.parametrize(
    ("loss", "jump"),
    [
        ([2, 3, 1, 0.5, 0.4], 0.5),  # up to 3 from 2
        ([2, 1, 0.8, 0.7, 0.6], 0.0),  # never above its first point
        ([2, 1, 0.5, 1, 3], 0.0),  # its peak is at the end: no early one
        ([0, 1, 0, 0, 0], 0.0),  # of a first point of zero there is no share
    ],
)
def test_a_jump_is_the_early_peak_over_the_first_point(loss, jump):
    assert shape(series(loss)).jump == pytest.approx(jump)


def test_one_outlier_is_no_jump():
    loss = np.linspace(3, 1, 32)
    loss[4] = 30
    assert shape(series(loss[:16])).jump < 0.01


@given(losses)
def test_the_peak_is_the_highest_part_by_a_slow_twin(loss):
    found = shape(series(loss))
    if len(loss) < SPIKED:
        assert found.peak == max(loss)
        assert found.peak_step == 1 + loss.index(max(loss))
    assert found.first == loss[0]
