"""Jobs that blew up, in the forms in which they are logged, and what only looks like one."""

import math

import numpy as np
import pytest

from advisor import Job, SearchSpace, advise
from advisor.advice import diagnose_newest
from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.measure.broken import zeros_from
from advisor.measure.series import clean
from advisor.nouns import Curve

NAN, INF = math.nan, math.inf
STEP = np.arange(10, 310, 10)
ENDS = [100, 200, 300]
FLAT = np.random.default_rng(1).normal(0, 0.02, len(STEP))
FALLING = 0.6 + 1.7 * np.exp(-STEP / 100)


def job(train=(), valid=(), before=None, status="succeeded"):
    curves = Curve(STEP[: len(train)], train), Curve(ENDS[: len(valid)], valid)
    return Job(status=status, train=curves[0], full_valid=curves[1], base_valid_loss=before)


def told(of):
    return diagnose(measure(of))


def diverged(of):
    return next(f for f in told(of).findings if f.rule == "FT402")


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ("at the loss of guessing from the first step on", job(10.8 + FLAT, [10.8, 10.81, 10.8], before=2.4)),
        ("training recovers a little, validation runs away", job(5.9 - 1.4 * STEP / 300, [8.1, 17.2, 28.5], before=2.4)),
        ("the same, nothing of training known", job((), [7.5, 7.6, 7.5], before=2.4)),
        ("up before the first evaluation, no base", job([2.3, 9.0, *(7.5 + FLAT[2:])], [7.5, 7.5, 7.5])),
        ("so far up that its first mean lies above the rest", job([2.3, 15.0, *(7.5 + FLAT[2:])], [7.5, 7.5, 7.5])),
        ("up, and validation falls a little since", job([2.3, 9.0, *(7.5 + FLAT[2:])], [7.6, 7.5, 7.45])),
        ("validation is infinite", job((), [INF, INF, INF])),
        ("validation is infinite, training not logged to its end", job(FALLING[:10], [INF, INF, INF])),
    ],
)  # fmt: skip
def test_a_job_that_blew_up_is_told_as_such(what, of):
    diagnosis = told(of)
    assert diagnosis.label == "diverged", (what, [f.rule for f in diagnosis.fired])
    assert {(m.knob, m.direction) for m in diverged(of).moves} == {("learning_rate_multiplier", "down")}
    assert "FT201" not in {f.rule for f in diagnosis.fired}, "nothing was learned by heart"


@pytest.mark.parametrize(
    ("what", "of", "label"),
    [
        ("overfitted beyond the loss before training", job(FALLING, [1.9, 2.3, 3.1], before=2.2), "overfitting"),
        ("the same from the first evaluation on", job(FALLING, [2.4, 2.8, 3.4], before=2.2), "overfitting"),
        (
            "training logged four times as high",
            job(4 * FALLING, [1.9, 2.3, 3.1], before=2.2),
            "overfitting",
        ),
        ("nothing learned", job(2.2 + FLAT, [2.21, 2.2, 2.2], before=2.2), "underfitting"),
        (
            "harder examples come last, and validation falls",
            job(1 + STEP / 300, [1.9, 1.6, 1.5]),
            "slow_convergence",
        ),
        ("validation lies far above training, which rises", job(0.5 + STEP / 500, [2.5, 2.5, 2.5]), "underfitting"),
        (
            "evaluations that fail beside a training that goes on",
            job(FALLING, [NAN, NAN, NAN]),
            "insufficient_data",
        ),
    ],
)  # fmt: skip
def test_what_did_not_blow_up_is_not_said_to_have(what, of, label):
    assert told(of).label == label, (what, diverged(of).reason)


def test_a_running_job_stands_where_one_that_ended_ends():
    blown = 5.9 - 1.4 * STEP / 300, [8.1, 17.2, 28.5]
    assert "stands 26.1 above the 2.4 before training" in diverged(job(*blown, 2.4, "running")).reason
    assert "ends 26.1 above the 2.4 before training" in diverged(job(*blown, 2.4)).reason


ZEROS = [0.0] * 6


@pytest.mark.parametrize(
    ("what", "train", "valid", "since"),
    [
        ("zeros alone, validation no number", ZEROS, [NAN, NAN], 10),
        ("zeros at one go, no validation", [2.3, *ZEROS], [], 20),
        ("zeros at one go, validation no number any more", [2.3, 2.2, *ZEROS], [NAN], 30),
        ("zeros alone and nothing else: a loss of rewards, as like as not", ZEROS, [], None),
        ("learned to the last digit that is logged", [2.3, 0.4, 0.01, 0.0002, *ZEROS], [], None),
        ("validation is alive since", [2.3, *ZEROS * 4], [1.9], None),
        ("two zeros may be two", [2.3, 2.2, 0.0, 0.0], [], None),
        ("it comes back", [2.3, *ZEROS, 2.1], [], None),
        ("no curve", [], [], None),
    ],
)
def test_zeros_that_stand_for_no_number(what, train, valid, since):
    of = job(train, valid)
    assert zeros_from(clean(of.train), clean(of.full_valid)) == since, what
    assert diverged(of).evidence.get("zeros_from") == since, what
    if since:
        assert told(of).label == "diverged"
        assert f"exactly 0 from step {since} on" in diverged(of).reason
        assert "fp16" in diverged(of).reason


SPACE = {"n_epochs": [1, 3, 8], "batch_size": [4, 8, 32], "learning_rate": {"min": 1e-6, "max": 1e-3}}


@pytest.mark.parametrize(
    "curves",
    [
        {"full_valid_loss": [[1, "inf"], [2, "inf"], [3, "inf"]]},
        {"train_loss": [[s, 0.0] for s in range(10, 310, 10)], "full_valid_loss": [[s, "NaN"] for s in ENDS]},
        {"train_loss": [[10, 2.3], *([s, 0.0] for s in range(20, 310, 10))]},
        {"train_loss": [[s, 10.8] for s in STEP], "full_valid_loss": [[s, 10.8] for s in ENDS], "base_valid_loss": 2.4},
    ],
)  # fmt: skip
def test_a_lower_rate_is_proposed(curves):
    setting = {"n_epochs": 3, "batch_size": 8, "learning_rate": 2e-5}
    record = {"id": "a", "status": "succeeded", "hyperparameters": setting, **curves}
    jobs = [Job.from_record(record)]
    assert diagnose_newest(jobs).label == "diverged"
    assert advise(jobs, SearchSpace.from_record(SPACE)).proposal.hyperparameters.learning_rate < 2e-5


@pytest.mark.parametrize("status", ["running", "succeeded"])
@pytest.mark.parametrize(
    ("method", "losses"), [("grpo", [0.1, 0.2, 0.0, 0.0, 0.0]), (None, [-0.05, 0.12, 0.0, 0.0, 0.0])]
)
def test_a_loss_of_rewards_that_is_nought_is_healthy(method, losses, status):
    record = {"status": status, "method": method, "train_loss": [[i, v] for i, v in enumerate(losses, 1)]}
    advice = advise([Job.from_record(record)])
    assert advice.diagnosis.label != "diverged"
    assert not (advice.live and advice.live.stop_now)
