"""The report's charts: what blew up is drawn as such, and no job hides another."""

from dataclasses import replace
from itertools import combinations, pairwise
from math import hypot

import pytest
from tell_jobs import advice_on, record

from advisor import tell
from advisor.nouns import Finding, HyperParameters, Job
from advisor.tell.svg.compare import compare_chart
from advisor.tell.svg.curves import curves_chart
from advisor.tell.svg.frame import NARROW, Axis, Frame
from advisor.tell.svg.gauge import gauges
from advisor.tell.svg.knob import knob_chart
from advisor.tell.svg.path import DOT, NEWEST, apart, path_chart

ALIKE = [record(n, epochs=3, rate=1.0, full=(2.0, 1.5, 1.1 + 0.001 * n)) for n in range(1, 8)]
BLOWN = record(
    8, rate=10.0, full=(2.4, 4.7, 8.0), base=None, train_loss=[[s, 2 + 0.2 * s] for s in range(1, 31)]
)


def test_a_job_that_blew_up_is_drawn_as_that_and_not_as_overfitting():
    page = tell.html(advice_on([BLOWN]), [BLOWN])
    assert "FT402 +233%" in page  # 2.4 to 8.0
    assert "FT201 +" not in page


def test_where_zeros_stand_for_no_number_the_mark_stands_at_the_first_of_them():
    losses = [[1, 2.0], [10, 1.8], *([s, 0.0] for s in range(20, 310, 10))]
    lost = record(1, full=(1.9,), train_loss=losses)
    chart = curves_chart(Job.from_record(lost), advice_on([lost]).diagnosis.findings)
    text = chart.split("FT402 no number from here")[0].split("<text")[-1]
    assert float(text.split('x="')[1].split('"')[0]) < 200, text


@pytest.mark.parametrize("sideways", [True, False])
def test_dots_that_would_cover_each_other_stand_beside_each_other(sideways):
    frame = Frame(Axis(1, 9), Axis(0, 3))
    wanted = [(200.0, 150.0), (203.0, 151.0), (199.0, 149.0), (200.0, 150.0), (340.0, 90.0)]
    places = apart(wanted, frame, sideways=sideways)
    assert places[0] == wanted[0]
    assert places[-1] == wanted[-1]
    assert all(hypot(a[0] - b[0], a[1] - b[1]) >= DOT for a, b in combinations(places, 2))
    assert not sideways or [y for _, y in places] == [y for _, y in wanted], "the height is what is read"


def test_one_job_that_blew_up_does_not_press_the_others_together():
    jobs = [Job.from_record(r) for r in ({**ALIKE[0], "full_valid_loss": [[10, 1.6]]}, *ALIKE[1:], BLOWN)]
    for chart in (compare_chart(jobs), knob_chart(jobs, "learning_rate_multiplier", [], "k")):
        assert ">8<" in chart
        assert ">2<" in chart
        assert ">6<" not in chart.split("<circle")[0], "ticks by ratio"
    assert path_chart(jobs, [], "learning_rate_multiplier", "n_epochs")


def test_of_many_jobs_the_path_shows_the_newest():
    records = [record(n, epochs=1 + n % 7, rate=0.1 * n, full=(2.0, 1.5, 1.0 + 1 / n)) for n in range(1, 41)]
    jobs = [Job.from_record(r) for r in records]
    chart = path_chart(jobs, [], "learning_rate_multiplier", "n_epochs")
    assert chart.count('class="job ') == NEWEST
    assert ">40<" in chart
    assert "job 25 at" not in chart
    assert "the newest 15 of 40 jobs" in tell.html(advice_on(records), records)
    assert "the newest 3" not in tell.html(advice_on(records[:3]), records[:3])


@pytest.mark.parametrize("least", [0.0, 5e-324, 1e-308, 1e-90, 1e-6])
def test_losses_next_to_nothing_break_no_chart(least):
    jobs = [
        Job.from_record({**r, "full_valid_loss": [[10, v]]})
        for r, v in zip(ALIKE, (least, 1.0, 9.0), strict=False)
    ]
    for chart in (compare_chart(jobs), knob_chart(jobs, "learning_rate_multiplier", [], "k")):
        assert "inf" not in chart
        assert "nan" not in chart


def test_the_labels_of_an_axis_differ():
    frame = Frame(Axis(0, 1), Axis(2.1701, 2.1712))
    frame.axes()
    ticks = [p for p in frame.parts if "tick end" in p]
    assert len({t.split(">")[1] for t in ticks}) == len(ticks) > 1


def test_the_numbers_of_jobs_stay_inside_the_comparison():
    chart = compare_chart([Job.from_record(r) for r in ALIKE])
    named = [p for p in chart.split("<text") if 'class="note' in p]
    assert len(named) == len(ALIKE)
    assert all(float(p.split(' y="')[1].split('"')[0]) < 270 for p in named), "the axis lies at 264"


def test_a_figure_of_nothing_beside_a_limit_of_nothing_has_no_bar():
    """A job that ended exactly where it began: `gain` 0, limit 0."""
    finding = Finding(
        "FT402", "diverged", "fires", {"gain": 0.0, "gain_limit": 0.0, "jump": 0.5, "jump_limit": 0.0}
    )
    assert gauges(finding) == [("jump", 0.5, 0.0)]


def test_labels_of_ticks_do_not_run_into_each_other():
    frame = Frame(Axis(1e-5, 2e-4, log=True, ticks=(1e-5, 7.07e-5, 1e-4, 1.05e-4)), Axis(1, 12), width=NARROW)
    frame.axes()
    told = [
        (float(p.split(' x="')[1].split('"')[0]), p.split(">")[1]) for p in frame.parts if "tick mid" in p
    ]
    assert [t.removesuffix("</text") for _, t in told][:2] == ["1e-05", "7.07e-05"]
    assert all(b[0] - a[0] > 3 * (len(a[1]) + len(b[1]) - 12) for a, b in pairwise(told))


def test_the_figure_of_a_late_rise_does_not_lie_on_the_curve():
    full = [[63 * k, 2 + 0.04 * (k - 3) * (k > 3)] for k in range(1, 13)]
    job = Job.from_record(record(1, full=(), base=2.25) | {"full_valid_loss": full, "train_loss": []})
    rising = Finding("FT202", "rising_again", "fires", {"late_rise": 0.09157}, "")
    chart = curves_chart(job, [rising])
    assert "rose by 0.09157<" in chart, "as many digits as in the text"
    height = float(chart.split(">FT202")[0].rsplit(' y="', 1)[1].split('"')[0])
    ends = [float(p.split(' cy="')[1].split('"')[0]) for p in chart.split("<circle")[-4:]]
    assert all(not height - 12 < y < height for y in ends)


def test_a_rate_does_not_break_at_its_hyphen():
    advice = advice_on(ALIKE)
    first = replace(advice.alternatives[0], hyperparameters=HyperParameters(3, 8, learning_rate=2.5e-5))
    page = tell.html(replace(advice, alternatives=(first,)), ALIKE)
    assert '<span class="unbroken">2.5e-05</span>' in page


def test_a_lone_training_loss_is_seen():
    job = Job.from_record({"hyperparameters": {}, "train_loss": [[1, 2.0], [2, "NaN"]]})
    assert "train-dot" in curves_chart(job)
