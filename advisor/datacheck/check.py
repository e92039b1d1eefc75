"""All data rules on one training file and, where there is one, its validation file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.datacheck.catalogue import CATALOGUE
from advisor.datacheck.examples import of_one_form, read_examples
from advisor.datacheck.losses import ExampleLoss
from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding

Rows = Iterable[tuple[int, Any, str | None]]


@dataclass(frozen=True)
class Report:
    """What the data show. `measurements` holds the text: it is told only where somebody asks for it."""

    findings: tuple[Finding, ...]
    measurements: DataMeasurements

    @property
    def fired(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.fires)

    @property
    def trainable(self) -> bool:
        """Whether every row can be trained on."""
        return not self.measurements.problems


def check(train: Rows, valid: Rows | None = None, *, losses: Sequence[ExampleLoss] | None = None) -> Report:
    """Look at training and validation rows with every data rule.

    Parameters
    ----------
    train, valid
        Rows as `(line, value, problem)`: line number from 1, decoded JSON, or what was wrong with it.
    losses
        Loss of each validation example, where the provider gives it.
    """
    rows = read_examples(train)
    m = DataMeasurements(
        of_one_form(rows, rows),
        None if valid is None else of_one_form(read_examples(valid), rows),
        None if losses is None else tuple(losses),
    )
    return Report(tuple(rule.look(m) for rule in CATALOGUE), m)
