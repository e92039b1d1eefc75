"""A study of fine-tuning jobs for the tests of the advisor inside Optuna."""

import math

import pytest

optuna = pytest.importorskip("optuna", reason="needs the extra: pip install 'finetune-advisor[optuna]'")

from advisor.optuna import AdvisorSampler  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.WARNING)


def loss_at(epoch, batch, rate):
    """A fine-tuning loss with a best rate that grows with the square root of the batch, and overfitting beyond it."""
    speed = rate / 1e-4 / math.sqrt(batch / 8)
    learned = 1 - math.exp(-0.9 * epoch * speed)
    return min(3.0 - 2.0 * learned + 0.02 * (epoch * speed) ** 1.5, 4.0)


def objective(trial):
    epochs = trial.suggest_int("epochs", 1, 12)
    batch = trial.suggest_categorical("batch_size", [4, 8, 16, 32])
    rate = trial.suggest_float("lr", 1e-6, 1e-2, log=True)
    trial.suggest_categorical("scheduler", ["linear", "cosine"])
    for epoch in range(epochs):  # counted from 0, as most studies do
        trial.report(loss_at(epoch + 1, batch, rate), epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss_at(epochs, batch, rate)


def study(**parts):
    made = optuna.create_study(sampler=AdvisorSampler(**parts))
    made.enqueue_trial({"epochs": 2, "batch_size": 32, "lr": 1e-6, "scheduler": "linear"})
    return made
