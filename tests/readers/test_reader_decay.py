"""The learning rate that was set is read from the rates logged on its decay."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.readers.decay import peak_rate


def logged(rate, every, total, course="linear", warmup=0, until=None, first=0, behind=0):
    """What transformers logs: after every `every` steps the rate of the step to come, or since version 5 (`behind` 1) of
    that step, in four digits as the console has them.
    """

    def at(step):
        if step < warmup:
            return rate * step / warmup
        share = (step - warmup) / (total - warmup)
        return (
            rate * {"linear": 1 - share, "cosine": (1 + math.cos(math.pi * share)) / 2, "constant": 1}[course]
        )

    return [(s + first, float(f"{at(s - behind):.4g}")) for s in range(every, (until or total) + 1, every)]


@pytest.mark.parametrize("course", ["linear", "cosine"])
@pytest.mark.parametrize("rate", [2e-4, 5e-5, 1e-5, 1.5e-4, 2.5e-5, 4.7e-5, 1.2e-4])
@pytest.mark.parametrize("every", [1, 10, 50])
def test_what_decay_took_off_before_the_first_log_is_given_back(course, rate, every):
    assert peak_rate(logged(rate, every, 600, course), 600) == rate


@pytest.mark.parametrize("course", ["linear", "cosine"])
@pytest.mark.parametrize("rate", [3e-4, 5e-5, 1.2e-4])
@pytest.mark.parametrize(("every", "total"), [(4, 48), (1, 40), (10, 600), (200, 600)])
def test_the_rate_may_be_that_of_the_step_before(course, rate, every, total):
    assert peak_rate(logged(rate, every, total, course, behind=1), total) == rate


@pytest.mark.parametrize("behind", [0, 1])
@pytest.mark.parametrize("course", ["linear", "cosine"])
@pytest.mark.parametrize("warmup", [150, 137])
def test_a_warm_up_whose_top_lies_between_two_logs(behind, course, warmup):
    assert peak_rate(logged(1e-3, 50, 1500, course, warmup=warmup, behind=behind), 1500) == 1e-3


def test_a_warm_up_within_the_first_log_makes_the_rate_no_higher():
    assert peak_rate(logged(2e-5, 50, 500, warmup=50), 500) == 2e-5
    assert peak_rate(logged(2e-5, 50, 500, warmup=15), 500) == 2e-5


def test_a_warm_up_that_was_logged_shows_the_rate_itself():
    assert peak_rate(logged(3e-5, 5, 500, warmup=50), 500) == 3e-5


@pytest.mark.parametrize(
    ("points", "total", "rate"),
    [
        ([], 100, None),
        ([(10, 0.0)], 100, None),
        ([(10, 4.5e-5)], 100, 4.5e-5),  # one log tells no course
        (logged(5e-5, 10, 100), None, 4.5e-5),
        (logged(3.33e-5, 10, 10_000, "constant"), 10_000, 3.33e-5),
        (logged(3.33e-5, 1, 10_000, until=50), 10_000, 3.33e-5),  # hardly decayed yet
        ([(10, 9e-5), (20, 8e-5), (30, 3e-5)], 100, 9e-5),  # a decay of another kind
        ([(100, 9e-5), (200, 8e-5)], 100, 9e-5),  # past the end that was planned
    ],
)
def test_where_no_decay_is_told_it_is_the_highest_logged(points, total, rate):
    assert peak_rate(points, total) == rate


@given(
    st.floats(1e-7, 1),
    st.integers(1, 40),
    st.integers(80, 5000),
    st.sampled_from(["linear", "cosine", "constant"]),
    st.integers(0, 30),
)
def test_it_is_never_below_what_was_logged_nor_far_from_what_was_set(rate, every, total, course, warmup):
    points = logged(rate, every, total, course, warmup)
    found = peak_rate(points, total)
    highest = max(r for _, r in points)
    assert found >= highest * (1 - 1e-9)
    assert found <= max(highest, rate * 1.02 * total / (total - warmup))
