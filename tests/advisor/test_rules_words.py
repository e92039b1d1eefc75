"""What a finding says in words is what its figures say, and of a running job no more than it has shown."""

import re
from dataclasses import replace

import numpy as np
import pytest
from families import FAMILIES
from test_rules import look

from advisor import advise
from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Curve, Job
from advisor.tell.story import tell

FALLING = Job(
    id="a",
    status="succeeded",
    train=Curve([10, 20, 30, 40, 50, 60], [2.0, 1.8, 1.65, 1.5, 1.4, 1.3]),
    full_valid=Curve([20, 40, 60], [1.85, 1.56, 1.37]),
    base_valid_loss=2.05,
)


def test_shares_of_a_running_job_are_of_its_steps_so_far():
    """And it is not told to run longer than planned, for its plan has not run out."""
    ended, running = (diagnose(measure(replace(FALLING, status=s))) for s in ("succeeded", "running"))
    assert ended.label == running.label == "slow_convergence"
    assert (
        {f.rule for f in ended.fired}
        == {f.rule for f in running.fired}
        >= {"FT302", "FT303", "FT304", "FT305"}
    )
    assert all("of the training" in f.reason for f in ended.fired)
    assert all("of the steps so far" in f.reason for f in running.fired)
    ways = [{(m.knob, m.direction) for f in d.fired for m in f.moves} for d in (ended, running)]
    assert ways[0] - ways[1] == {("n_epochs", "up")}


@pytest.mark.parametrize(
    ("training_ends", "told"),
    [(1.3, "hardly better than validation (5%)"), (1.5, "no better than validation")],
)
def test_training_that_is_no_better_is_not_said_to_be_better(training_ends, told):
    train = Curve([10, 20, 30, 40, 50, 60], [2.0, 1.9, 1.8, 1.7, 1.6, training_ends])
    assert told in look("FT305", measure(replace(FALLING, train=train))).reason


def test_a_healthy_job_that_rules_want_changed_is_not_called_sound_on_the_whole():
    settled = replace(FALLING, full_valid=Curve([20, 40, 60, 80], [1.5, 1.35, 1.31, 1.303]))
    settled = replace(settled, train=Curve(range(10, 90, 10), [2.0, 1.6, 1.4, 1.33, 1.3, 1.29, 1.285, 1.28]))
    advice = advise([settled])
    assert advice.diagnosis.label == "healthy"
    assert any(f.moves for f in advice.diagnosis.fired)
    assert tell(advice, [settled]).meaning.startswith(
        "Nothing is badly wrong with these curves, but they ask for"
    )


def test_failures_are_to_be_looked_into_before_another_job():
    assert "2 failed: see why" in look("FT101", measure(Job(status="failed"), [Job(status="failed")])).reason
    assert "provider's choice" in look("FT101", measure(Job())).reason


@pytest.mark.parametrize("name", FAMILIES)
def test_a_reason_tells_no_figure_that_is_not_among_the_measured(name):
    """Every loss, share and step in a firing rule's words stands in its evidence or in the curves' figures."""
    r = np.random.default_rng(2)
    for _ in range(30):
        m = measure(FAMILIES[name](r))
        known = [v for s in (m.valid, m.train) if s for v in vars(s).values() if isinstance(v, float)]
        known += [v for s in (m.valid, m.train) if s for v in (s.n, -s.late_fall)]
        for f in diagnose(m).fired:
            figures = [v for v in f.evidence.values() if isinstance(v, int | float)] + known
            for text in re.findall(
                r"(?<![\w.])-?\d[\d,.]*\d?(?:e[-+]?\d+)?%?",
                re.sub(r"FT\d+|16ths|trend needs \d+", "", f.reason),
            ):
                value = float(text.rstrip("%.,").replace(",", "")) / (100 if text.endswith("%") else 1)
                near = 0.0051 if text.endswith("%") else max(0.006 * abs(value), 1e-12)
                assert any(abs(abs(v) - abs(value)) <= near for v in figures), (f.rule, f.reason, text)
