"""How soon a job is looked at again."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tracker.pace import LONGEST_WAITING_S, Crowd, Pace
from tracker.polite import RateLimit, retry_after_s


def crowd(jobs: int, per_second: float = 100.0, shortest: float = 0.5) -> Crowd:
    made = Crowd(RateLimit(per_second), shortest)
    made.jobs = jobs
    return made


def test_few_jobs_are_looked_at_often():
    assert Pace(crowd(1)).wait_s(0.0, running=True) == 0.5


def test_many_jobs_share_the_rate():
    assert crowd(1000).fair_s == pytest.approx(12.5)


def test_a_lower_rate_makes_looks_rarer():
    shared = crowd(100)
    before = shared.fair_s
    shared.limit.hold(1.0)
    assert shared.fair_s == pytest.approx(2 * before)


def follow(pace: Pace, period: float, until: float, running: bool = True) -> tuple[list[float], int]:
    """Play a job that emits an event every period; return each event's lag and the number of looks."""
    now, seen, lags, looks = 0.0, 0, [], 0
    while now < until:
        visible = int(now // period)
        lags += [now - (k + 1) * period for k in range(seen, visible)]
        pace.looked(now, visible - seen)
        seen = visible
        looks += 1
        now += pace.wait_s(now, running)
    return lags, looks


def test_a_steady_job_in_a_crowd_is_met_when_its_event_is_due():
    lags, looks = follow(Pace(crowd(1000)), 15.0, 3000.0)
    late = sorted(lags[20:])
    assert late[int(0.99 * len(late))] <= 2.0
    assert looks <= 4 * len(lags)


@pytest.mark.parametrize("period", [0.1, 1.0, 7.0, 15.0, 60.0])
def test_with_few_jobs_no_event_waits_longer_than_a_look(period):
    lags, _ = follow(Pace(crowd(3)), period, 40 * period)
    assert max(lags) <= 0.5 + 1e-9


def test_a_waiting_job_is_looked_at_ever_more_seldom_up_to_a_limit():
    pace = Pace(crowd(1))
    waits = []
    for second in range(40):
        pace.looked(float(second), 0)
        waits.append(pace.wait_s(float(second), running=False))
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAITING_S


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-2"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_said_in_three_ways(headers, seconds):
    assert retry_after_s(headers) == seconds


def test_a_date_to_come_is_waited_for():
    later = formatdate(time.time() + 60, usegmt=True)
    assert retry_after_s({"retry-after": later}) == pytest.approx(
        60, abs=3
    )  # whole seconds, and a busy machine
