"""Whatever stands in a job record, advice comes back in finite figures: broken, absurd and contradictory ones alike."""

import json
import math
import random
import warnings

import pytest

from advisor import advise
from advisor.nouns import Curve, Job
from advisor.records import RecordError
from advisor.tell import text
from advisor.tell.failure import problem_lines
from advisor.tell.request import decode

ODD = [
    1e300,
    -1e300,
    1e15,
    9.99e14,
    1e-300,
    1e-320,
    0,
    -0.0,
    -1,
    -0.5,
    math.nan,
    math.inf,
    "NaN",
    "-Infinity",
    None,
    2**70,
]
STEPS = [
    lambda i, n: 10 * i,
    lambda i, n: 10 * (n - i),
    lambda i, n: 5,
    lambda i, n: 0,
    lambda i, n: i - n // 2,
    lambda i, n: i / 3,
    lambda i, n: i * 1e-12,
    lambda i, n: 1e300,
    lambda i, n: None if i % 2 else i,
]
LOSSES = [
    lambda r, i: r.choice(ODD),
    lambda r, i: 2.5,
    lambda r, i: r.random() * 1e-290,
    lambda r, i: r.random() * 9e14,
    lambda r, i: -r.random(),
    lambda r, i: r.choice(ODD) if r.random() < 0.2 else 2 * math.exp(r.gauss(0, 0.2) - i / 9),
    lambda r, i: 2 * math.exp(r.gauss(0, 0.2) - i / 9),
]


def curve(r):
    n, step, loss = r.choice([0, 1, 2, 3, 4, 6, 12, 40]), r.choice(STEPS), r.choice(LOSSES)
    return [[step(i, n), loss(r, i)] for i in range(n)]


def record(r, number):
    knobs = {
        k: r.choice([*ODD, 3, 8, "auto"]) for k in ("n_epochs", "batch_size", "learning_rate_multiplier")
    }
    knobs = {k: v if isinstance(v, int | float) or v in (None, "auto") else None for k, v in knobs.items()}
    counts = (
        "created_at",
        "base_valid_loss",
        "steps_per_epoch",
        "total_steps",
        "n_train_examples",
        "trained_tokens",
    )
    return {
        "id": r.choice([f"j{number}", "twin", None, ""]),
        "status": r.choice(["succeeded", "failed", "running", "queued", "cancelled", None, "odd"]),
        "hyperparameters": r.choice([knobs, {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1}]),
        **{k: r.choice([*ODD, 3, 100]) for k in counts if r.random() < 0.3},
        **{k: curve(r) for k in ("train_loss", "valid_loss", "full_valid_loss") if r.random() < 0.7},
    }


def advised(records):
    """The advice; any warning but those that are meant for the user is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        jobs = [Job.from_record(r) for r in records]
        return advise(jobs, prior=False), jobs


@pytest.mark.parametrize("seed", range(6))
def test_any_history_gets_advice_in_finite_figures(seed):
    r = random.Random(seed)
    for _ in range(25):
        advice, jobs = advised([record(r, i) for i in range(r.choice([1, 1, 2, 4]))])
        json.dumps(advice.to_record(), allow_nan=False)
        shown = text(advice, jobs)
        assert " nan" not in shown
        assert "inf)" not in shown


def test_a_loss_next_to_nothing_is_nothing():
    """Shares of it would overflow."""
    jumps = {"train_loss": [[1, 1e-320], [2, 4.0], [3, 3.0], [4, 2.0], [5, 2.0], [6, 2.0]]}
    evidence = {f.rule: f.evidence for f in advised([jumps])[0].diagnosis.findings}
    assert evidence["FT403"]["jump"] == 0.0


@pytest.mark.parametrize("key", ["n_epochs", "batch_size", "learning_rate"])
@pytest.mark.parametrize("value", [1e300, 2**70, 1e-300])
def test_a_knob_beyond_all_measure_is_told_and_not_known(key, value):
    with pytest.warns(
        UserWarning, match=f"{key} is .*expected a positive (whole )?number.*taken as not known"
    ):
        job = Job.from_record({"hyperparameters": {key: value}})
    assert getattr(job.hyperparameters, key) is None


@pytest.mark.parametrize("key", ["n_train_examples", "total_steps", "trained_tokens"])
def test_a_count_below_nothing_is_told_and_not_known(key):
    with pytest.warns(UserWarning, match=f"{key} is -5 .*expected a positive number"):
        assert getattr(Job.from_record({key: -5}), key) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(Job.from_record({key: -1}), key) is None, "what some write for not known"


def test_a_running_job_is_not_set_against_one_that_never_trained():
    knobs = {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": 1}
    never = {"status": "succeeded", "hyperparameters": knobs, "full_valid_loss": [[0, 0.5]]}
    falls = {
        "status": "running",
        "hyperparameters": knobs,
        "full_valid_loss": [[10, 2.0], [20, 1.8], [30, 1.7]],
    }
    assert not advised([never, falls])[0].live.stop_now


def test_a_wrong_loss_before_training_is_told_beside_the_first_loss_that_is_a_number():
    job = {
        "train_loss": [[0, "NaN"], [1, 2.0], [2, 1.5]],
        "full_valid_loss": [[2, 1.6]],
        "base_valid_loss": 90.0,
    }
    (note,) = advise([Job.from_record(job)], prior=False).notes
    assert "its losses begin at 2 " in note


def test_a_curve_of_lists_is_advised_and_told_as_one_of_arrays():
    job = Job(id="a", full_valid=Curve([10, 20, 30], [2.0, 1.5, 1.4]), train=Curve(range(1, 31), [2] * 30))
    assert "1.4" in text(advise([job], prior=False), [job])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"hyperparameters": {"n_epochs": 10**9}}, "n_epochs is 1e\\+09; expected at most 10,000"),
        ({"total_steps": 10, "train_loss": [[5, 2.0], [12, 1.0]]}, "total_steps is 10, .* at step 12"),
    ],
)
def test_what_can_hardly_be_meant_is_told_and_taken_as_it_stands(fields, told):
    with pytest.warns(UserWarning, match=told):
        Job.from_record({"hyperparameters": {}} | fields)


@pytest.mark.filterwarnings("error")
def test_a_log_that_counts_the_step_to_come_is_usual():
    Job.from_record(
        {"hyperparameters": {"n_epochs": 500}, "total_steps": 100, "train_loss": [[101, 1.0], [None, 2.0]]}
    )


def test_a_name_that_stands_twice_in_an_object_is_told_and_the_last_counts():
    with pytest.warns(UserWarning, match="'n_epochs' .* more than once"):
        assert decode('{"n_epochs": 3, "n_epochs": 7}', "it") == {"n_epochs": 7}


def test_a_setting_under_other_names_is_told_with_those_that_are_expected():
    with pytest.warns(
        UserWarning, match="none of n_epochs, batch_size, .* but 'epochs', 'lr': the setting is not known"
    ):
        Job.from_record({"hyperparameters": {"epochs": 3, "lr": 1e-4}})


@pytest.mark.filterwarnings("error")
def test_beside_a_knob_others_may_stand():
    Job.from_record({"hyperparameters": {"n_epochs": 3, "beta": 0.1}})
    Job.from_record({"hyperparameters": {}})


def test_of_a_million_problems_a_few_are_told():
    lines = problem_lines(RecordError([f"jobs[{i}] is 3" for i in range(1_000_000)]))
    assert len(lines) == 21
    assert lines[-1] == "and 999,980 more"
