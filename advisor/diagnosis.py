"""Asks every rule and names what most decides the next step."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Diagnosis, Finding, Label
from advisor.rules import CATALOGUE

# Which rule's firing means which label; where several fire, the first decides.
LABEL_OF: tuple[tuple[str, Label], ...] = (
    ("FT402", "diverged"),
    ("FT102", "insufficient_data"),
    ("FT401", "oscillating"),  # before overfitting: a rise of no more than a few swings is luck
    ("FT201", "overfitting"),
    ("FT301", "underfitting"),
    ("FT302", "slow_convergence"),
)


def diagnose(measurements: Measurements) -> Diagnosis:
    """Every rule's finding on one job, and the label that sums them up."""
    findings = tuple(rule.look(measurements) for rule in CATALOGUE)
    return Diagnosis(label(findings), findings)


def label(findings: tuple[Finding, ...]) -> Label:
    """The label of the first rule, by `LABEL_OF`, that fires; healthy where none does."""
    fired = {f.rule for f in findings if f.fires}
    return next((name for rule, name in LABEL_OF if rule in fired), "healthy")
