"""The history as it is judged: in order, each job once, and what was done to it said."""

from dataclasses import replace

import pytest
from propose_jobs import LISTS, job
from tell_jobs import overfitted

from advisor import SearchSpace, advise
from advisor.history import ordered, prepared
from advisor.nouns import HyperParameters, Job
from advisor.tell import html, markdown, text

SPACE = SearchSpace.from_record(LISTS)
A, B = job(3, 8, 0.4, (2.0, 1.5, 1.3), "a"), job(5, 8, 0.4, (1.9, 1.4, 1.35, 1.4, 1.5), "b")


def names(jobs):
    return [j.id for j in prepared(jobs)[0]]


def test_created_at_orders_the_jobs_where_all_carry_it():
    a, b = Job(id="a", created_at=2.0), Job(id="b", created_at=1.0)
    assert [j.id for j in ordered([a, b])] == ["b", "a"]
    assert [j.id for j in ordered([a, Job(id="c"), b])] == ["a", "c", "b"]


@pytest.mark.parametrize("given", [[A, B, B], [A, A, B, B, B], [B, A, A, B]])
def test_a_job_recorded_several_times_is_evidence_once(given):
    advice = advise(given, SPACE)
    assert replace(advice, notes=()) == advise([A, B], SPACE)
    told = [n for n in advice.notes if "counted as one job" in n]
    assert len(told) == len({j.id for j in given if given.count(j) > 1})
    assert f"{given.count(B)} records of b have one setting and the same losses" in " ".join(told)


def test_the_same_losses_under_another_name_are_no_evidence_either():
    again = replace(A, id="again", seed=2, created_at=5.0)
    assert names([A, B, again]) == ["b", "again"]
    assert prepared([A, B, again])[1][0].startswith("a and again have one setting")


@pytest.mark.parametrize(
    "other",
    [
        replace(A, hyperparameters=HyperParameters(3, 8, 0.8)),
        job(3, 8, 0.4, (2.0, 1.5, 1.3001)),
        replace(A, model="another"),
        replace(A, valid_digest="another"),
    ],
)
def test_what_differs_in_setting_losses_or_data_is_another_job(other):
    assert len(prepared([A, other])[0]) == 2


def test_jobs_that_showed_nothing_are_not_taken_for_one():
    failed = Job(status="failed", hyperparameters=HyperParameters(3, 8, 0.4))
    assert len(prepared([failed, failed])[0]) == 2


def test_jobs_that_are_not_compared_are_told():
    other, elsewhere = replace(A, model="m1"), replace(B, model="m2", valid_digest="x")
    newest = replace(A, id="n", model="m2", valid_digest="y")
    assert prepared([other, elsewhere, newest])[1] == (
        "1 of 3 jobs tuned another model (m1): their settings are a hint, their losses are not compared",
        "1 of 3 jobs had other validation data: their settings are a hint, their losses are not compared",
    )


def test_a_rate_in_another_unit_is_told():
    absolute = replace(B, hyperparameters=HyperParameters(5, 8, None, 1e-4))
    assert prepared([A, absolute])[1] == (
        "1 of 2 jobs has a learning rate multiplier and no learning rate: read as if that were the usual one",
    )
    assert not prepared([A, B])[1]


def test_what_was_done_to_the_history_stands_in_every_form():
    records = [overfitted(1), overfitted(1)]
    advice = advise([Job.from_record(r) for r in records])
    (note,) = advice.notes
    assert advice.to_record()["notes"] == [note]
    assert note in " ".join(text(advice, records).split())
    assert note in markdown(advice, records)
    assert note in html(advice, records)


def test_what_stands_in_a_note_cannot_break_a_page():
    jobs = [replace(A, model="<i>\x1b[31m"), replace(B, model="m")]
    advice = advise(jobs, SPACE)
    assert "<i>" not in html(advice, jobs)
    assert "<i>" not in markdown(advice, jobs)
    assert "\x1b" not in text(advice, jobs)
