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


def play(
    paces: list[Pace], visible: list[list[float]], clock: float, until: float
) -> list[tuple[float, float]]:
    """Follow jobs side by side; return each event's moment and lag. What is written on it is by the provider's clock."""
    lags, seen, due = [], [0] * len(paces), [6.0 * k / len(paces) for k in range(len(paces))]
    while (now := min(due)) < until:
        k = due.index(now)
        new = [at for at in visible[k][seen[k] :] if at <= now]
        lags += [(at, now - at) for at in new]
        paces[k].looked(now, len(new), [float(int(at + clock)) for at in new])
        seen[k] += len(new)
        due[k] = now + paces[k].wait_s(now, running=True)
    return lags


@pytest.mark.parametrize("clock", [0.0, 1.7e9, -500.0])
def test_times_on_events_bring_a_crowd_to_its_pace_within_three_events(clock):
    jobs, period = 50, 15.0
    shared = crowd(1000, 200.0, 0.4)
    visible = [[period * (n + k / jobs) for n in range(1, 12)] for k in range(jobs)]
    lags = play([Pace(shared) for _ in range(jobs)], visible, clock, 10 * period)
    assert sorted(lag for at, lag in lags if at > 3 * period)[-10] <= 1.0
    assert max(lag for at, lag in lags if at > 3 * period) <= 2.0


def test_a_false_time_on_one_job_leaves_the_others_in_pace():
    jobs, period = 20, 15.0
    shared = crowd(1000, 200.0, 0.4)
    Pace(shared).looked(0.0, 1, [1e6])  # written in the far future
    visible = [[period * (n + k / jobs) for n in range(1, 12)] for k in range(jobs)]
    lags = play([Pace(shared) for _ in range(jobs)], visible, 0.0, 10 * period)
    assert max(lag for at, lag in lags if at > 3 * period) <= 6.5  # no worse than looking at all in turn


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
