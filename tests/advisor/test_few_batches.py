"""Few evaluations of single batches: they scatter as training does, and no rise within that is overfitting."""

import numpy as np
import pytest

from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Curve, Job

N = 200


def levelled_off(evaluations, noise, r, rise=0.0):
    """Single validation batches that settle at 1.2, or turn there, beside a training that settles at 1.05."""
    step, at = np.arange(5, 301, 5.0), np.linspace(300 / evaluations, 300, evaluations)
    train = 1.05 + 0.9 * np.exp(-step / 40) + r.normal(0, noise, len(step))
    course = 1.2 + 0.8 * np.exp(-at / 33) + rise * np.maximum(0, at / 300 - 0.35)
    return Job(train=Curve(step, train), valid=Curve(at, course + r.normal(0, noise, evaluations)))


@pytest.mark.parametrize("evaluations", [3, 6, 9])
@pytest.mark.parametrize("noise", [0.08, 0.15, 0.3])
def test_few_batches_that_rise_by_their_scatter_are_not_called_overfitting(evaluations, noise):
    r = np.random.default_rng(evaluations)
    labels = [label(levelled_off(evaluations, noise, r)) for _ in range(N)]
    assert labels.count("overfitting") <= 0.05 * N, labels.count("overfitting")
    assert labels.count("insufficient_data") > 0, "that is what is told in its place"


def test_a_rise_of_few_batches_beyond_their_scatter_is_overfitting():
    r = np.random.default_rng(1)
    labels = [label(levelled_off(3, 0.08, r, rise=1.2)) for _ in range(N)]
    assert labels.count("overfitting") >= 0.95 * N


def test_the_whole_set_has_no_batches_scatter():
    r = np.random.default_rng(2)
    whole = levelled_off(5, 0.0, r, rise=0.6)
    noisy_train = Curve(whole.train.step, whole.train.loss + r.normal(0, 0.12, len(whole.train)))
    assert label(Job(train=noisy_train, full_valid=whole.valid)) == "overfitting"
    assert label(Job(train=noisy_train, valid=whole.valid)) == "insufficient_data"


def label(job):
    return diagnose(measure(job)).label
