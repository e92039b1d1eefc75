"""Whose losses are set against the newest job's: those of its model, its validation data and its kind of loss."""

import pytest

from advisor import Job, SearchSpace, advise
from advisor.history import prepared
from advisor.propose.peers import is_peer
from advisor.tell.learned import effects, gain_so_far

SPACE = SearchSpace.from_record(
    {"n_epochs": [1, 2, 3, 5, 8], "batch_size": [4, 8], "learning_rate_multiplier": [0.5, 1, 2, 4]}
)


@pytest.mark.parametrize(
    ("a", "b", "peers"),
    [
        ("supervised", "dpo", False),
        ("dpo", "reinforcement", False),
        ("dpo", "DPO", True),
        ("sft", "supervised", True),
        ("sft", "dpo", False),
        ("lora", "dpo", True),  # an adapter, of whatever loss
        ("lora", "full", True),
        ("sft-lora", "supervised", True),
        ("qlora_dpo", "supervised", False),
        ("grpo", "reinforcement", True),
        (None, "dpo", True),
        (None, None, True),
    ],
)
def test_losses_of_another_method_are_no_yardstick(a, b, peers):
    assert is_peer(Job(method=a), Job(method=b)) == is_peer(Job(method=b), Job(method=a)) == peers


def record(name, method, ends, rate, base=None):
    return {
        "id": name,
        "status": "succeeded",
        "provider": "openai",
        "model": "m",
        "method": method,
        "hyperparameters": {"n_epochs": 3, "batch_size": 8, "learning_rate_multiplier": rate},
        "steps_per_epoch": 50,
        "base_valid_loss": base,
        "train_loss": [[25 * i, ends[0] - 0.02 * i] for i in range(1, 7)],
        "full_valid_loss": [[50 * (i + 1), loss] for i, loss in enumerate(ends)],
    }


TUNED = record("tuned", "supervised", (1.7, 1.5, 1.41), 1, base=2.4)
PREFERRED = record("preferred", "dpo", (0.6, 0.5, 0.35), 2, base=0.69)


@pytest.mark.parametrize(("records", "kept", "loss"), [((TUNED, PREFERRED), "preferred", 0.35), ((PREFERRED, TUNED), "tuned", 1.41)])  # fmt: skip
def test_of_another_method_the_settings_count_and_the_losses_do_not(records, kept, loss):
    jobs = [Job.from_record(r) for r in records]
    advice = advise(jobs, SPACE)
    assert advice.keep.job == kept, "a loss of another kind is no better one, however low"
    assert advice.proposal.forecast.best == pytest.approx(loss)
    tried = [j.hyperparameters for j in jobs]
    assert advice.proposal.hyperparameters not in tried
    other = records[0]["method"]
    assert (
        f"1 of 2 jobs trained by another method ({other}): losses are not compared across methods"
        in advice.notes
    )


def test_jobs_of_one_method_are_compared_without_a_word():
    jobs = [Job.from_record(r) for r in (TUNED, record("next", "sft", (1.6, 1.4, 1.3), 2))]
    assert prepared(jobs)[1] == ()


def test_what_a_knob_did_is_told_of_jobs_alone_that_can_be_compared():
    third = record("third", "dpo", (0.6, 0.5, 0.4), 4)
    jobs = [Job.from_record(r) for r in (TUNED, PREFERRED, third)]
    pairs = effects(jobs)["learning_rate_multiplier"]
    assert [(e.first, e.second) for e in pairs] == [(2, 3)]
    assert gain_so_far(jobs) == pytest.approx(0.69 - 0.35), "by the base of the same loss"
