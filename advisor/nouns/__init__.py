"""The nouns of the advisor: frozen values that every other module speaks in.

Knows nothing of files, MLflow, providers or rules.
"""

from advisor.nouns.advice import (
    Advice,
    Cost,
    Diagnosis,
    Finding,
    Forecast,
    Keep,
    Label,
    Live,
    Move,
    Proposal,
    Verdict,
)
from advisor.nouns.job import AUTO, Curve, HyperParameters, Job
from advisor.nouns.space import Knob, KnobName, SearchSpace

__all__ = [
    "AUTO",
    "Advice",
    "Cost",
    "Curve",
    "Diagnosis",
    "Finding",
    "Forecast",
    "HyperParameters",
    "Job",
    "Keep",
    "Knob",
    "KnobName",
    "Label",
    "Live",
    "Move",
    "Proposal",
    "SearchSpace",
    "Verdict",
]
