"""The rules: one symptom, one file. `CATALOGUE` lists them all."""

from advisor.rules.catalogue import CATALOGUE
from advisor.rules.rule import Rule, Threshold

__all__ = ["CATALOGUE", "Rule", "Threshold"]
