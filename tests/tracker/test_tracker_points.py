"""Points from events, checkpoints and result rows."""

from __future__ import annotations

import math

import pytest

from tracker.content import content
from tracker.points import Point, from_checkpoint, from_event, in_order, merge, total_steps
from tracker.providers import find
from tracker.raw import RawJob


def event(data: object = None, message: str = "", created_at: object = 100, **rest: object) -> dict:
    return {"id": "e1", "created_at": created_at, "type": "metrics", "message": message, "data": data, **rest}


CASES = {
    "all the names of the API": (
        event({"step": 3, "train_loss": 1.5, "train_mean_token_accuracy": 0.5, "total_steps": 9}),
        [("train_loss", 3, 1.5), ("train_mean_token_accuracy", 3, 0.5)],
    ),
    "the other name of the accuracy": (
        event({"step": 3, "train_accuracy": 0.5}),
        [("train_mean_token_accuracy", 3, 0.5)],
    ),
    "Azure's prefix": (
        event({"step": 3, "validation/valid_mean_token_accuracy": 0.5}),
        [("valid_mean_token_accuracy", 3, 0.5)],
    ),
    "step 0 is the loss before training": (
        event({"step": 0, "full_valid_loss": 3.0}),
        [("base_valid_loss", 0, 3.0)],
    ),
    "step 0 without one is nothing": (event({"step": 0, "train_loss": 3.0}), []),
    "data wins over the message": (
        event({"step": 3, "train_loss": 1.234}, "Step 3/9: training loss=1.23"),
        [("train_loss", 3, 1.234)],
    ),
    "the message where there is no data": (
        event(None, "Step 60/200: training loss=0.73, validation loss=1.46, full validation loss=1.12"),
        [("train_loss", 60, 0.73), ("valid_loss", 60, 1.46), ("full_valid_loss", 60, 1.12)],
    ),
    "Azure's message without a total": (
        event({}, "Step 8250: training loss=3.8e-06"),
        [("train_loss", 8250, 3.8e-06)],
    ),
    "a string for a number": (event({"step": "4", "train_loss": "1.5"}), [("train_loss", 4, 1.5)]),
    "no step anywhere": (event({"train_loss": 1.5}, "hello"), []),
    "a negative step": (event({"step": -1, "train_loss": 1.5}), []),
    "an endless step": (event({"step": "Infinity", "train_loss": 1.5}), []),
    "no time": (event({"step": 3, "train_loss": 1.5}, created_at=None), []),
    "data that is a list": (event([1, 2]), []),
    "true is no number": (event({"step": 3, "train_loss": True}), []),
    "an unknown metric": (event({"step": 3, "grad_norm": 1.0}), []),
}


@pytest.mark.parametrize("name", CASES)
def test_points_of_an_event(name):
    served, expected = CASES[name]
    assert from_event(served) == [Point(key, step, value, 100_000) for key, step, value in expected]


@pytest.mark.parametrize("loss", ["NaN", "Infinity", float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_nan(loss):
    assert math.isnan(from_event(event({"step": 3, "train_loss": loss}))[0].value)


def test_a_null_loss_is_nan_only_where_it_is_marked():
    assert math.isnan(from_event(event({"step": 3, "train_loss": None, "nonfinite": "inf"}))[0].value)
    assert from_event(event({"step": 3, "train_loss": None})) == []


def test_events_win_over_checkpoints_and_those_over_rows():
    events = [event({"step": 2, "train_loss": 1.0, "full_valid_loss": 2.0}, id="a")]
    checkpoints = [
        {
            "id": "c",
            "created_at": 200,
            "step_number": 2,
            "metrics": {"full_valid_loss": 9.0, "valid_loss": 3.0},
        }
    ]
    rows = [("train_loss", 2.0, 8.0), ("valid_loss", 2.0, 8.0), ("train_loss", 1.0, 4.0)]
    merged = merge(events, checkpoints, rows, created_at=50)
    assert sorted(merged) == [
        Point("full_valid_loss", 2, 2.0, 100_000),
        Point("train_loss", 1, 4.0, 50_001),
        Point("train_loss", 2, 1.0, 100_000),
        Point("valid_loss", 2, 3.0, 200_000),
    ]


def test_the_first_event_of_a_step_wins_in_whatever_order_they_come():
    first = event({"step": 2, "train_loss": 1.0}, id="a", created_at=10)
    again = event({"step": 2, "train_loss": 5.0}, id="b", created_at=20)
    assert merge([first, again]) == merge([again, first]) == [Point("train_loss", 2, 1.0, 10_000)]


def test_reading_twice_gives_the_same_points():
    events = [event({"step": k, "train_loss": 1.0 / k}, id=str(k), created_at=k) for k in range(1, 9)]
    assert merge(events[::-1]) == merge(events) == merge(events + events)


def test_order_is_by_time_then_step():
    events = [event({"step": k}, id=str(k), created_at=5) for k in (3, 1, 2)]
    assert [e["id"] for e in in_order(events)] == ["1", "2", "3"]


def test_checkpoints_count_whole_steps_and_need_a_time():
    checkpoint = {"created_at": 7, "metrics": {"step": 88.0, "full_valid_loss": 0.5, "train_loss": None}}
    assert from_checkpoint(checkpoint) == [Point("full_valid_loss", 88, 0.5, 7000)]
    assert from_checkpoint({"metrics": {"step": 88.0, "full_valid_loss": 0.5}}) == []


@pytest.mark.parametrize(
    ("served", "steps"),
    [
        (event({"total_steps": 9}), 9),
        (event(None, "Step 3/40: training loss=1.0"), 40),
        (event(None, "Step 3: training loss=1.0"), None),
        (event({"total_steps": -1}), None),
    ],
)
def test_total_steps(served, steps):
    assert total_steps(served) == steps


@pytest.mark.parametrize(
    "odd", ["Infinity", "-Infinity", "NaN", float("inf"), 1e300, "soon", None, True, [], {}]
)
def test_odd_figures_end_nothing(odd):
    event = {"id": "e", "created_at": odd, "data": {"step": odd, "total_steps": odd, "train_loss": 1.0}}
    later = {"id": "f", "created_at": 5, "data": {"step": 1, "train_loss": 1.0}}
    checkpoint = {"step_number": odd, "created_at": odd, "metrics": {"step": odd, "full_valid_loss": 1.0}}
    checkpoint["fine_tuned_model_checkpoint"] = "m"
    job = {"id": "j", "status": "succeeded", "created_at": odd, "finished_at": odd, "trained_tokens": odd}
    made = content(RawJob(job, [event, later], [checkpoint]), find("compatible"))
    assert Point("train_loss", 1, 1.0, 5000) in made.points


def test_times_may_be_iso_texts():
    job = {"id": "j", "status": "succeeded", "created_at": "2025-10-09T08:53:20+00:00"}
    assert content(RawJob(job), find("compatible")).start_ms == 1_760_000_000_000
