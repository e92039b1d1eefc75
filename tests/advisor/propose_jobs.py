"""Jobs and spaces that the tests of proposing share."""

import math

from advisor.nouns import Diagnosis, Job, SearchSpace
from advisor.propose import propose

LISTS = {
    "n_epochs": [1, 2, 3, 5, 8, 12],
    "batch_size": [4, 8, 16, 32],
    "learning_rate_multiplier": [0.1, 0.4, 1.6],
}
RANGES = {
    "n_epochs": {"min": 1, "max": 10},
    "batch_size": {"min": 2, "max": 64},
    "learning_rate_multiplier": {"min": 0.1, "max": 8},
}
HEALTHY = Diagnosis("healthy")


def job(epochs=3, batch=8, rate=0.4, ends=(2.0, 1.5, 1.3), name="job-0", **fields) -> Job:
    """A finished job of 80 examples with one full validation loss an epoch."""
    per_epoch = math.ceil(80 / batch)
    record = {
        "id": name,
        "status": "succeeded",
        "n_train_examples": 80,
        "base_valid_loss": 3.0,
        "hyperparameters": {"n_epochs": epochs, "batch_size": batch, "learning_rate_multiplier": rate},
        "full_valid_loss": [[per_epoch * (i + 1) * epochs / len(ends), v] for i, v in enumerate(ends)],
        "train_loss": [[s, 3.0 - 1.5 * s / (per_epoch * epochs)] for s in range(1, per_epoch * epochs + 1)],
    }
    return Job.from_record(record | fields)


def knobs(proposal) -> tuple:
    h = proposal.hyperparameters
    return h.n_epochs, h.batch_size, h.learning_rate_multiplier


def ask(jobs, space=LISTS, **more):
    return propose(jobs, HEALTHY, SearchSpace.from_record(space), **more)
