"""The history as it is judged: in order, each job once, and what was done to it said."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from propose_jobs import LISTS, job
from tell_jobs import overfitted
from threadpoolctl import threadpool_info, threadpool_limits

from advisor import SearchSpace, advise
from advisor.history import ordered, prepared
from advisor.nouns import Curve, HyperParameters, Job
from advisor.tell import html, markdown, text
from advisor.threads import one_blas_thread

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
        "1 of 3 jobs tuned another model (m1): losses are not compared across models",
        "1 of 3 jobs had other validation data: losses are not compared across data",
    )


def test_a_rate_in_another_unit_is_told():
    absolute = replace(B, hyperparameters=HyperParameters(5, 8, None, 1e-4))
    multiplier, rate = "learning rate multiplier", "learning rate"
    told = "1 of 2 jobs has a {} and no {}: read as if that were the usual one"
    assert advise([A, absolute]).notes == (told.format(multiplier, rate),)
    assert advise([A, absolute], SPACE).notes == (told.format(rate, multiplier),), "by what is proposed"
    assert not advise([A, B], SPACE).notes


def test_a_job_told_while_it_ran_and_later_is_one():
    early = replace(A, status="running", full_valid=Curve(A.full_valid.step[:1], A.full_valid.loss[:1]))
    for given in ([early, A, B], [early, early, A, B]):
        jobs, notes = prepared(given)
        assert list(jobs) == [A, B]
        assert notes[0].endswith("records of a are one job, told while it ran and later: counted as one")
    assert prepared([A, replace(A, status="running"), B])[0][0].status == "succeeded"
    assert len(prepared([early, replace(A, id="other")])[0]) == 2


def test_what_another_record_of_a_job_tells_is_not_lost():
    rated = replace(A, metrics={"acc": 0.8}, cost_usd=2.0)
    (job, _), _ = prepared([rated, A, B])
    assert (job.metrics, job.cost_usd) == ({"acc": 0.8}, 2.0)
    assert advise([rated, B, A], SPACE, objective="acc").keep.job == "a"


def test_jobs_without_a_name_of_their_own_are_named_by_their_place_in_what_was_given():
    better = job(8, 8, 0.4, (1.5, 1.2, 1.1), None)
    nameless = replace(A, id=None)
    advice = advise([nameless, nameless, better], SPACE)
    assert advice.keep.job == "job 3"
    assert advice.proposal.cost.beside == "job 3"
    assert names([A, replace(B, id="a")]) == ["job 1", "job 2"]


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


def test_a_setting_that_was_resolved_meanwhile_is_of_the_same_job():
    queued = Job(id="a", status="queued", hyperparameters=HyperParameters("auto", "auto", "auto"))
    assert prepared([queued, A])[0] == (A,)


@pytest.mark.parametrize(
    "running",
    [
        replace(B, id="a", status="running"),
        replace(A, status="running", train=Curve(), full_valid=Curve([10, 20, 30, 40], [2.0, 1.6, 1.7, 1.9])),
    ],
)
def test_a_running_job_of_another_setting_or_course_is_another_job(running):
    assert len(prepared([A, running])[0]) == 2


@pytest.mark.parametrize(
    "again",
    [
        replace(A, metrics={"acc": 0.5}),
        replace(A, id="b", status="running", full_valid=Curve([10], [2.0])),
    ],
)
def test_another_evaluation_or_another_name_is_another_job(again):
    assert len(prepared([replace(A, metrics={"acc": 0.9}), again])[0]) == 2


def test_few_losses_may_be_the_same_by_chance():
    once, twice = (job(1, 8, 0.4, (1.8,), name, train_loss=[]) for name in "ab")
    assert len(prepared([once, twice])[0]) == 2
    assert len(prepared([once, once])[0]) == 1


@pytest.mark.parametrize("curve", ["train", "valid", "full_valid"])
def test_any_curve_tells_jobs_apart(curve):
    other = replace(A, id="b", **{curve: Curve([1, 2, 3], [2.0, 1.9, 1.7])})
    assert len(prepared([A, other])[0]) == 2


def test_two_at_once_leave_the_host_its_threads():
    threads = lambda: [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]  # noqa: E731
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_blas_thread():
            assert set(threads()) == {1}
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda _: advise([A, B], SPACE), range(4)))
            assert set(threads()) == {1}, "until the last is out"
        assert threads() == before


def test_jobs_that_showed_no_number_are_not_taken_for_one():
    nan = [[s, float("nan")] for s in (10, 20, 30)]
    jobs = [job(name=name, full_valid_loss=nan, train_loss=nan) for name in "abc"]
    assert names(jobs) == ["a", "b", "c"]
