"""The report: one page, whole, that loads nothing and draws what the curves show."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tell_jobs import advice_on, history, made, overfitted, record

from advisor import tell
from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Advice, Diagnosis, Finding, Job, Move


@pytest.fixture(scope="module")
def told():
    records = history()
    return advice_on(records), records


losses = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 10)
series = st.lists(st.tuples(st.floats(allow_nan=True) | st.integers(0, 100), losses).map(list), max_size=12)


@settings(max_examples=40, deadline=None)
@given(train=series, valid=series, full=series, base=losses, epochs=st.integers(1, 12))
def test_every_form_tells_any_curve_without_an_error(train, valid, full, base, epochs):
    job = record(
        1, epochs=epochs, train_loss=train, valid_loss=valid, full_valid_loss=full, base_valid_loss=base
    )
    jobs = [record(2), job]
    advice = made(findings=diagnose(measure(Job.from_record(job))).findings)
    assert tell.text(advice, jobs, plot=True)
    assert tell.markdown(advice, jobs)
    page = tell.html(advice, jobs)
    assert not Page(page).open
    drawn = re.findall(r' (?:x1|y1|cx|cy|points|width)="([^"]*)"', page)
    assert not [d for d in drawn if "nan" in d or "inf" in d]


class Page(HTMLParser):
    """Collects what a page loads, and whether every tag that opens also closes."""

    VOID = ("meta", "br", "line", "circle", "rect", "polyline", "polygon", "path")

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.loads += [v for k, v in attrs if k in ("src", "href") and not (v or "").startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_report_is_whole_and_loads_nothing(told):
    page = tell.html(*told)
    parsed = Page(page)
    assert not parsed.open
    assert not parsed.loads
    assert "script" not in [tag for tag, _ in parsed.tags]
    assert "prefers-color-scheme: dark" in page


def test_every_chart_has_words_for_those_who_cannot_see_it(told):
    charts = [
        attrs for tag, attrs in Page(tell.html(*told)).tags if tag == "svg" and attrs.get("role") == "img"
    ]
    assert len(charts) >= 9  # curves, comparison: wide and narrow; two paths; three knobs
    idents = [i for attrs in charts for i in attrs["aria-labelledby"].split()]
    assert len(idents) == len(set(idents)) == 2 * len(charts)
    assert all(f'id="{i}"' in tell.html(*told) for i in idents)


def test_the_evidence_is_drawn_on_the_curve(told):
    page = tell.html(*told)
    assert "FT201 +50%" in page  # 1.6 at best, 2.4 at the end
    assert "best 1.6" in page
    assert "before tuning 3" in page


def test_the_legend_names_the_curves_that_are_there(told):
    page = tell.html(*told)
    assert "validation batch</span>" not in page
    assert "whole validation set</span>" in page
    jobs = [record(1, valid_loss=[[5, 2.5], [15, 2.2]])]
    assert "validation batch</span>" in tell.html(advice_on(jobs), jobs)


LEGEND = r"</svg>(training|whole validation set|evidence|lowest loss|newest|others)</span>"


@pytest.mark.parametrize(
    ("records", "named", "heading"),
    [
        ([overfitted(1)], ["training", "whole validation set", "evidence"], "The job"),
        ([record(1, full=(2.0, 1.52, 1.5, 1.5, 1.5))], ["training", "whole validation set"], "The job"),
        (
            history(),
            ["training", "whole validation set", "evidence", "lowest loss", "others"],
            "Jobs compared",
        ),
        (
            [record(2), *history()[2:], record(4, full=(2.2, 2.1, 2.0))],
            ["training", "whole validation set", "evidence", "lowest loss", "newest", "others"],
            "Jobs compared",
        ),
    ],
    ids=["overfitted", "settled", "the newest is the lowest", "all kinds"],
)
def test_a_legend_names_what_is_drawn_and_no_more(records, named, heading):
    page = tell.html(advice_on(records), records)
    assert re.findall(LEGEND, page) == named
    assert f"<h2>{heading}</h2>" in page


def test_the_share_on_the_curve_is_the_one_in_the_words():
    jobs = [record(1, full=(3.0, 2.8, 2.6, 2.4, 2.2), train_loss=[])]
    advice = advice_on(jobs)
    pace = next(f for f in advice.diagnosis.fired if f.rule == "FT302").evidence["pace"]
    assert f"FT302 {pace:.0%} of the fall in the last fifth" in tell.html(advice, jobs)


def test_names_cannot_break_out_of_the_report():
    jobs = [record(1, id="</svg><script>alert(1)</script>"), overfitted(2, id='"><img src=x>')]
    parsed = Page(tell.html(advice_on(jobs), jobs))
    assert not {"script", "img"} & {tag for tag, _ in parsed.tags}


def test_the_label_of_each_job_in_the_table_is_its_own(monkeypatch):
    """Asked job by job, without the history: a long loop is not measured over and over."""
    import advisor.measure

    seen = []
    real = advisor.measure.measure
    monkeypatch.setattr(advisor.measure, "measure", lambda *a: seen.append(a) or real(*a))
    jobs = [record(1, full=(2.2, 2.0, 1.9)), *(overfitted(n, rate=4.0 / n) for n in range(2, 8))]
    page = tell.html(made(), jobs)
    assert page.count("overfitting") >= 6
    assert [len(a) for a in seen] == [1] * len(jobs)


@pytest.mark.parametrize(("moves", "asked"), [((), False), ((Move("n_epochs", "down", "loss"),), True)])
def test_a_healthy_job_of_which_a_rule_wants_a_change_gets_no_all_clear(moves, asked):
    rising = Finding("FT202", "rising-again", "fires", moves=moves)
    advice = Advice(Diagnosis("healthy", (rising,)), made().proposals, keep=made().keep)
    page = tell.html(advice, [record()])
    assert ("<h1>Healthy, with a change asked for</h1>" in page) is asked
    assert ('<header class="healthy">' in page) is not asked
    good = Advice(Diagnosis("healthy", (replace(rising, rule="FT601"),)), made().proposals, keep=made().keep)
    assert "change asked for" not in tell.text(good, [record()]), "it is no trouble that a job goes well"
    for told in (tell.text(advice, [record()]), tell.markdown(advice, [record()])):
        assert ("ealthy, with a change asked for" in told) is asked


def test_nothing_is_learned_of_jobs_that_have_not_ended_with_a_number():
    """They are shown as what they are; how their settings end is not known."""
    ended, other = record(1, rate=1.0, full=(2.2, 2.0, 1.9)), record(2, rate=2.0, full=(2.0, 1.8, 1.7))
    running = record(3, rate=4.0, full=(2.4, 2.3), status="running")
    broken = record(4, rate=8.0, full=(2.4, 9.0, float("nan")))
    records = [ended, other, running, broken]
    page = tell.html(advice_on(records), records)
    assert "(jobs 1 and 2)" in page
    assert not re.search(r"jobs \d and [34]\)", page)
    assert '<span class="tag plain">running</span>' in page
    assert "<td>no number</td>" in page
