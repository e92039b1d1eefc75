"""The example of each rule, taken at its word: its curves make the rule fire, with the figures and limits that it tells."""

import re

import numpy as np
import pytest

from advisor.measure import measure
from advisor.nouns import Curve, Job
from advisor.rules import CATALOGUE, Threshold
from advisor.rules.measured import MEASURED

NUMBER = r"\d+(?:\.\d+)?"
LIST = rf"((?:{NUMBER}, )+{NUMBER})"
TOLD = rf"({NUMBER})( %)?[^,;:()]*\((?:[^()]*, )?limit ({NUMBER})( %)?(?:, [^()]*)?\)"


def example(rule):
    text = type(rule).__doc__.split("## Example\n")[1].split("## ")[0]
    return " ".join(text.split())


def curve(text, name):
    found = re.search(f"{name} {LIST}", text, re.I)
    loss = [float(x) for x in found[1].split(", ")] if found else []
    return Curve(np.arange(1.0, len(loss) + 1), np.array(loss))


def close(text, percent, figures):
    """Whether one of the figures rounds to what is written."""
    digits = len(text.partition(".")[2])
    unit = 100 if percent else 1
    return any(abs(float(text) - abs(f) * unit) <= 0.5 * 10**-digits + 1e-9 for f in figures)


WITH_CURVES = [rule for rule in CATALOGUE if re.search(f"(training|validation) {LIST}", example(rule), re.I)]


@pytest.mark.parametrize("rule", WITH_CURVES, ids=lambda r: r.id)
def test_an_example_is_true(rule):
    text = example(rule)
    job = Job(train=curve(text, "training"), full_valid=curve(text, "validation"))
    finding = rule.look(measure(job))
    assert finding.fires, finding.reason
    counted = {k: len(v) if isinstance(v, list) else v for k, v in finding.evidence.items()}
    figures = {k: float(v) for k, v in counted.items() if isinstance(v, int | float)}
    limits = [v for k, v in figures.items() if "limit" in k]
    values = [v for k, v in figures.items() if "limit" not in k]
    told = re.findall(TOLD, text)
    assert told
    for value, percent, limit, of in told:
        assert close(value, percent, values), (value, figures)
        assert close(limit, of, limits), (limit, figures)


def test_all_rules_on_curves_have_such_an_example():
    assert {r.id for r in CATALOGUE} - {r.id for r in WITH_CURVES} <= {
        "FT101",
        "FT102",
        "FT103",
        "FT203",
        "FT601",
    }


@pytest.mark.parametrize(
    ("rule_id", "way"),
    [
        ("FT201", "learning_rate_multiplier down"),
        ("FT202", "n_epochs down"),
        ("FT303", "learning_rate_multiplier up"),
        ("FT304", "batch_size down"),
        ("FT305", "n_epochs up"),
        ("FT403", "learning_rate_multiplier down"),
    ],
)
def test_a_limit_set_by_measurement_tells_what_is_measured_now(rule_id, way):
    rule = next(r for r in CATALOGUE if r.id == rule_id)
    origins = [limit.origin for limit in vars(type(rule)).values() if isinstance(limit, Threshold)]
    right, of = MEASURED[rule_id][way]
    assert any(
        f"on {right} of {of} jobs above it" in o or f"on {right} of {of} jobs below it" in o for o in origins
    )
