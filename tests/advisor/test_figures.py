"""Losses are told with digits enough to tell them apart, wherever they are told."""

import math
import re

import pytest
from propose_jobs import ask, job
from tell_jobs import advice_on, record

from advisor import tell
from advisor.figures import loss_figure


@pytest.mark.parametrize(
    ("value", "fine", "told"),
    [
        (1.7216, 0.0018, "1.722"),  # a hundredth of a gain of 0.18
        (1.7216, 0.01, "1.72"),
        (1.7216, None, "1.72"),
        (1.7216, 0.0, "1.72"),
        (1.7216, math.inf, "1.72"),
        (1.7216, 0.5, "1.72"),
        (11.5342, 0.004, "11.534"),
        (0.000123456, 1e-6, "0.000123"),
        (1.72, 0.0001, "1.72"),  # no zeros at the end
        (1.23456789, 1e-12, "1.234568"),
        (0.0, 0.001, "0"),
        (math.nan, 0.001, "nan"),
        (-0.51234, 0.001, "-0.512"),
    ],
)
def test_the_differences_that_matter_show(value, fine, told):
    assert loss_figure(value, fine) == told


def test_the_best_so_far_is_told_to_a_hundredth_of_a_small_gain_and_a_forecast_to_a_tenth_of_its_range():
    made, others = ask([job(base_valid_loss=1.9, ends=(1.781, 1.7313, 1.7216))])
    assert "best so far 1.722" in made[0].expect
    figures = {f for p in (*made, *others) for f in re.findall(r"[01]\.\d+", p.expect)} - {"1.722"}
    assert {len(f.replace(".", "").lstrip("0")) for f in figures} <= {2, 3}, figures
    wide = job(base_valid_loss=4.9, ends=(2.8, 2.3, 1.7216))
    assert "best so far 1.72;" in ask([wide])[0][0].expect


def test_a_report_tells_two_jobs_apart_that_differ_by_a_hundredth_of_the_gain():
    small = [
        record(i, base=11.5, full=(11.49, 11.484, end), rate=rate) for i, end, rate in ((1, 11.4792, 1.0), (2, 11.4788, 2.0))
    ]  # fmt: skip
    page = tell.html(advice_on(small), small)
    for end in ("11.4792", "11.4788"):
        assert f"{end} at step 30" in page
    assert "11.4792 → 11.4788" in page
    assert "validation loss 11.4788" in tell.text(advice_on(small), small)
