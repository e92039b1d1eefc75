"""Rules that speak of one figure agree on it: what one calls gained, no other calls settled."""

import numpy as np
import pytest
from families import FAMILIES

from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Curve, Job

GAINING = {"FT302", "FT303", "FT304", "FT305", "FT306"}  # each says that the losses still fall
NO_MORE = {"FT202", "FT204", "FT601"}  # each says that validation loss does not


def fired(job):
    return {f.rule for f in diagnose(measure(job)).fired}


def learned_by_heart(valid):
    """Training falls from 1.85 to 1.01 beside these evaluations."""
    step = np.arange(10, 310, 10)
    train = Curve(step, 1 + 0.85 * np.exp(-step / 60))
    return Job(train=train, full_valid=Curve([100, 200, 300], valid), base_valid_loss=1.78)


def test_what_has_not_come_to_rest_still_gains():
    assert "FT304" in fired(learned_by_heart([1.78, 1.73, 1.72]))
    assert "FT204" not in fired(learned_by_heart([1.78, 1.73, 1.72]))
    assert "FT204" in fired(learned_by_heart([1.7201, 1.72, 1.72]))


def test_what_the_last_fifth_still_took_off_is_not_called_nothing():
    """FT302 counts training in, so it may see a fall that is too small for FT304."""
    step = np.arange(1, 6)
    train = Curve(step, [1.732, 1.698, 1.666, 1.409, 0.74])
    rules = fired(
        Job(train=train, full_valid=Curve(step, [1.967, 1.92, 1.734, 1.724, 1.717]), base_valid_loss=2)
    )
    assert "FT302" in rules
    assert not rules & {"FT304", "FT204"}


def test_what_stands_above_its_best_is_not_called_unconverged():
    step = np.arange(1, 8)
    valid = Curve(step, [1.068, 1.059, 1.025, 1.031, 1.039, 0.968, 1.023])
    rules = fired(Job(train=Curve(step, 1.1 - 0.1 * step), full_valid=valid))
    assert "FT201" in rules
    assert "FT304" not in rules


def test_slow_training_beside_a_validation_loss_that_rises_speaks_of_training_alone():
    """The mean of both curves would say that the fall which one rule denies is that which another sees."""
    step = np.arange(1, 9)
    valid = Curve(step, [1.257, 1.126, 1.061, 1.029, 1.014, 1.006, 1.003, 1.045])
    found = diagnose(measure(Job(train=Curve(step, 1.2 + 1.4 * np.exp(-step / 4)), full_valid=valid)))
    told = {f.rule: f.reason for f in found.fired}
    assert "FT202" in told
    assert told["FT303"].startswith("17% of the training loss's fall came in the last third")


def test_what_rises_again_does_not_still_fall():
    """Training that falls late, after it had risen, is not what epochs more would be for."""
    step = np.arange(1, 13)
    valid = [0.93, 0.9, 0.885, 0.8633, 0.8632, 0.8673, 0.8648, 0.8666, 0.8693, 0.8708, 0.8819, 0.8857]
    train = [2.45, 2.47, 2.39, 2.44, 2.64, 2.78, 2.66, 2.5, 2.32, 2.19, 2.07, 1.96]
    rules = fired(Job(base_valid_loss=1.0407, train=Curve(step, train), full_valid=Curve(step, valid)))
    assert "FT202" in rules
    assert "FT302" not in rules


def test_what_overfits_is_not_called_slow():
    step = np.arange(1, 9)
    valid = Curve(step, [0.62, 0.57, 0.52, 0.47, 0.42, 0.55, 0.6, 0.74])
    rules = fired(Job(train=Curve(step, [2.0, 1.95, 1.88, 1.87, 1.8, 1.74, 1.74, 1.71]), full_valid=valid))
    assert "FT201" in rules
    assert "FT303" not in rules


def test_no_curve_gains_and_gains_no_more():
    """Training far ahead of a validation loss of any course, and every family of curves."""
    r, both = np.random.default_rng(5), []
    jobs = [learned_by_heart(1.78 - r.exponential(0.05, 3).cumsum() * [1, 1, r.normal()]) for _ in range(400)]
    jobs += [family(r) for family in FAMILIES.values() for _ in range(40)]
    for job in jobs:
        rules = fired(job)
        if rules & GAINING and rules & NO_MORE:
            both.append(rules)
    assert not both


STEP, NAN = np.arange(1, 9), float("nan")


@pytest.mark.parametrize(
    ("job", "rules"),
    [
        (Job(full_valid=Curve(STEP[:4], [1.002, 1.0, 1.006, 1.026])), ("FT201", "FT301")),
        (Job(full_valid=Curve(STEP[:6], [2.025, 2.01, 2.011, 2.0, NAN, NAN])), ("FT402", "FT301")),
        (
            Job(
                base_valid_loss=10,
                train=Curve([2, 5, 8], [12.058, 11.935, 8.602]),
                valid=Curve(STEP, [10.2, 9.52, 10.376, 7.946, 11.216, 9.918, 10.385, 10.048]),
            ),
            ("FT201", "FT302"),
        ),
        (
            Job(
                train=Curve(STEP, [1, 0.9, 0.8, 0.6, 0.4, 0.3, 0.01, 0.05]),
                full_valid=Curve(STEP, [1, 0.9, 0.8, 0.6, 0.4, 0.3, 0.01, 0.052]),
            ),
            ("FT201", "FT305"),
        ),
        (
            Job(
                train=Curve(STEP, [0.98, 0.88, 0.78, 0.59, 0.39, 0.29, 0.048, 0.045]),
                full_valid=Curve(STEP, [1, 0.9, 0.8, 0.6, 0.4, 0.3, 0.049, 0.067]),
            ),
            ("FT201", "FT306"),
        ),
        (
            Job(
                train=Curve(STEP[:6], [1.27, 2.76, 1.71, 1.61, 1.77, 1.51]),
                full_valid=Curve([1.5, 3, 4.5, 6], [1.81, 1.81, 1.81, 1.8]),
            ),
            ("FT403", "FT301"),
        ),
    ],
)
def test_of_two_rules_that_ask_for_the_contrary_the_graver_alone_fires(job, rules):
    """What rose or blew up is neither said to have learned nothing nor to be falling still."""
    told = fired(job)
    assert [rule in told for rule in rules] == [True, False]


def test_what_rises_although_training_does_no_better_is_not_said_to_have_settled():
    valid = Curve(STEP[:4], [1.072, 1.136, 1.2, 1.267])
    assert not fired(Job(train=Curve(STEP[:4], [1.26, 1.2, 1.19, 1.185]), full_valid=valid)) & {
        "FT201",
        "FT601",
    }


def test_no_diagnosis_asks_for_contrary_moves():
    r = np.random.default_rng(6)
    jobs = [family(r) for family in FAMILIES.values() for _ in range(40)]
    jobs += [Job(full_valid=Curve(STEP, 1 + r.normal(0, 0.03, 8).cumsum())) for _ in range(200)]
    for job in jobs:
        moves = {(m.knob, m.direction) for f in diagnose(measure(job)).fired for m in f.moves}
        assert len({knob for knob, _ in moves}) == len(moves), moves
