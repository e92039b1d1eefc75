"""Swings of the model, told from the scatter of single validation batches and beside a high loss before training."""

from dataclasses import replace

import numpy as np
import pytest
from test_noise import finding, noisy

from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Curve, Job


@pytest.mark.parametrize(
    ("course", "noise", "label"),
    [
        (lambda u: 1 + 1.1 * np.exp(-8 * u), 0.3, "healthy"),
        (lambda u: 2.1 - 0.9 * u, 0.25, "slow_convergence"),
        (lambda u: 1.8 + 0 * u, 0.2, "underfitting"),
    ],
)
def test_the_scatter_of_single_validation_batches_is_no_swing_of_the_model(course, noise, label):
    """200 of them; evaluations of the whole set that scatter as much do swing."""
    r = np.random.default_rng(8)
    jobs = [noisy(200, 0.05, noise, course, r) for _ in range(20)]
    batches = [diagnose(measure(replace(j, valid=j.full_valid, full_valid=Curve()))).label for j in jobs]
    assert batches.count(label) >= 16, batches
    whole = [diagnose(measure(j)).label for j in jobs]
    assert whole.count("oscillating") >= 16, whole


def test_single_validation_batches_that_swing_beyond_their_scatter_are_told():
    """300 batches, a wave of 20 steps: their means over sixteenths of the run would show hardly anything of it."""
    at, r = np.arange(1, 301.0), np.random.default_rng(9)
    job = Job(
        valid=Curve(at, 1.5 + 0.6 * np.sin(at / 3) + r.normal(0, 0.1, 300)), train=Curve(at, 2 - at / 300)
    )
    found = finding("FT401", job)
    assert found.verdict == "fires"
    assert found.reason.startswith("single validation batches lie 0.3")


@pytest.mark.parametrize("base", [None, 2.5, 5.9])
def test_a_high_loss_before_training_hides_no_swings(base):
    at = np.arange(25.0, 301, 25)
    train = Curve(np.arange(10, 301, 10.0), 1.3 + 0.9 * np.exp(-np.arange(30) / 4))
    job = Job(base_valid_loss=base, train=train, full_valid=Curve(at, 1.4 + 0.25 * np.sin(at / 12)))
    assert diagnose(measure(job)).label == "oscillating"


def test_a_first_evaluation_above_the_loss_before_training_is_no_swing():
    """It jumped and came back in order: the distance from a line that begins before the jump is not a swing."""
    valid = Curve(np.arange(1, 7.0), [4.45, 3.34, 3.16, 2.98, 2.9, 2.85])
    assert finding("FT401", Job(base_valid_loss=1.68, full_valid=valid)).verdict == "clear"


@pytest.mark.parametrize("n", [17, 24, 40, 200])
@pytest.mark.parametrize(("fall", "scatter"), [(0.1, 0.2), (0.3, 0.2), (0.1, 0.35)])
def test_the_scatter_of_batches_that_fall_by_little_is_no_swing(n, fall, scatter):
    """Nor is a rise that it may bring about; of 17 to 40 batches a sixteenth is one or two of them."""
    r, at, step = np.random.default_rng(3), np.linspace(300 / n, 300, n), np.arange(10, 301, 10.0)
    train = Curve(step, 1.3 - fall * step / 300)
    courses = [1.3 - fall * at / 300 + r.normal(0, scatter, n) for _ in range(40)]
    told = [finding("FT401", Job(valid=Curve(at, loss), train=train)).verdict for loss in courses]
    assert told.count("fires") <= 4


def test_a_wave_over_few_batches_is_told_all_the_same():
    r, at = np.random.default_rng(4), np.linspace(7.5, 300, 40)
    loss = 1.2 + 0.5 * np.sin(at / 16) + r.normal(0, 0.1, 40)
    job = Job(valid=Curve(at, loss), train=Curve(at, 1.3 - at / 3000))
    assert finding("FT401", job).reason.startswith("single validation batches")


def test_few_batches_that_swing_are_told_all_the_same():
    """Of ten nothing averages out."""
    job = Job(valid=Curve(np.arange(10, 110, 10), [1.5, 2.3, 1.2, 1.9, 0.9, 1.8, 1.0, 1.9, 0.9, 1.7]))
    assert finding("FT401", job).reason.startswith("single validation batches lie")
