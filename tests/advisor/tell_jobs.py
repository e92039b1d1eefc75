"""Job records for the tests of telling: small, with curves whose figures are known by construction."""

import math

import advisor
from advisor.nouns import Advice, Diagnosis, HyperParameters, Job, Keep, Proposal


def record(number=1, epochs=3, batch=8, rate=1.0, full=(2.0, 1.8, 1.9), base=3.0, **fields):
    """A finished job of 10 steps an epoch; `full` is its loss on the whole validation set, epoch by epoch."""
    steps = 10 * len(full)
    return {
        "id": f"ftjob-{number}",
        "status": "succeeded",
        "created_at": 1_760_000_000 + 600 * number,
        "provider": "onprem",
        "model": "embedded-tiny",
        "hyperparameters": {"n_epochs": epochs, "batch_size": batch, "learning_rate_multiplier": rate},
        "n_train_examples": 80,
        "n_valid_examples": 20,
        "base_valid_loss": base,
        "steps_per_epoch": 10,
        "train_loss": [[s, 1.0 + 2.0 * math.exp(-s / 10) + 0.05 * (-1) ** s] for s in range(1, steps + 1)],
        "full_valid_loss": [[10 * (i + 1), loss] for i, loss in enumerate(full)],
        "train_file": {"path": "my data/train.jsonl", "sha256": "ab"},
        "valid_file": {"path": "valid.jsonl", "sha256": "cd"},
    } | fields


def overfitted(number=1, **fields):
    return record(number, epochs=5, full=(2.0, 1.6, 1.7, 2.0, 2.4), **fields)


def history():
    """Three jobs: the second differs from the first in epochs alone, the third from the second in the rate alone."""
    return [
        record(1, epochs=3, full=(2.2, 2.0, 1.9)),
        record(2, epochs=5, full=(2.2, 2.0, 1.9, 1.8, 1.7)),
        overfitted(3, batch=8, rate=4.0),
    ]


SPACE = {
    "n_epochs": [1, 2, 3, 5, 8],
    "batch_size": [4, 8, 16],
    "learning_rate_multiplier": {"min": 0.1, "max": 8},
}


def advice_on(records, **options):
    jobs = [Job.from_record(r) for r in records]
    return advisor.advise(jobs, advisor.SearchSpace.from_record(SPACE), **options)


def made(*, stop=False, findings=()):
    proposal = Proposal(
        HyperParameters(2, 8, 1.0),
        ("FT201",),
        "about 1.7",
        stop,
        "two jobs in a row brought nothing" if stop else None,
    )
    return Advice(Diagnosis("overfitting", tuple(findings)), (proposal,), keep=Keep("ftjob-1", 20))
