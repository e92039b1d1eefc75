"""Few weighted points that stand for many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.propose.thin import thinned

WEIGHTS = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=300).filter(lambda w: sum(w) > 1e-6)


@given(WEIGHTS, st.integers(1, 60))
def test_at_most_so_many_are_kept_in_order_and_their_weights_sum_to_one(weight, count):
    kept, share = thinned(np.array(weight), count)
    assert 1 <= len(kept) == len(share) <= count
    assert (np.diff(kept) > 0).all()
    assert (share > 0).all() or len(weight) <= count
    assert share.sum() == pytest.approx(1)


@given(WEIGHTS, st.integers(1, 60))
def test_whatever_part_of_the_order_is_taken_its_weight_is_off_by_one_point_at_most(weight, count):
    """A slow twin by cumulative weight: no stretch gains or loses more than what one drawn point stands for."""
    whole = np.array(weight) / sum(weight)
    kept, share = thinned(np.array(weight), count)
    stands = np.zeros(len(whole))
    stands[kept] = share
    assert np.abs(np.cumsum(stands) - np.cumsum(whole)).max() <= 1 / count + 1e-9


def test_the_heavy_stay_with_their_own_weights():
    weight = np.r_[5.0, np.full(500, 0.01), 3.0]
    kept, share = thinned(weight, 52)
    assert (share[0], share[-1]) == pytest.approx((5 / 13, 3 / 13))
    assert len(kept) == 52
    assert np.ptp(share[1:-1]) == pytest.approx(0), "each of the light ones drawn stands for as many"


def test_where_few_are_asked_for_the_weightiest_alone_would_be_far_off():
    """What it is for: a wide plain beside a peak has most of the weight, and none of the weightiest points."""
    place = np.linspace(0, 1, 20_001)
    weight = np.exp(-0.5 * ((place - 0.2) / 0.01) ** 2) + 0.5
    mean = np.average(place, weights=weight)
    kept, share = thinned(weight, 100)
    top = np.argsort(-weight)[:100]
    assert place[kept] @ share == pytest.approx(mean, abs=0.005)
    assert abs(np.average(place[top], weights=weight[top]) - mean) > 0.2
