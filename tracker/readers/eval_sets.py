"""Evaluations on several validation sets at once, as Hugging Face's Trainer makes them of a dict of data sets.

It logs a loss a set (`eval_chat_loss`, `eval_code_loss`) and none over all: their plain mean is taken, at the steps at
which all were measured. How large the sets are no log tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.readers.holds import shown_names
from tracker.readers.values import Point

ONE = ("eval_{}", "eval/{}")  # what the Trainer calls the measure of a lone set
OF_A_SET = r"eval[_/](.+)_{}"
MEASURES = {"full_valid_loss": "loss", "full_valid_mean_token_accuracy": "mean_token_accuracy"}


def mean_over_sets(metrics: Mapping[str, Sequence[Point]], field: str) -> list[Point]:
    """The points of a record's field by the mean over all sets; none where there is a lone set."""
    series = [dict(points) for points in _by_set(metrics, MEASURES[field]).values()]
    steps = set.intersection(*map(set, series)) if series else ()
    return [(step, sum(one[step] for one in series) / len(series)) for step in sorted(steps)]


def set_names(metrics: Mapping[str, Sequence[Point]]) -> list[str] | None:
    """The sets whose losses make the validation loss up; None where there is a lone one, or none."""
    return list(_by_set(metrics, "loss")) if mean_over_sets(metrics, "full_valid_loss") else None


def remark(record: Mapping[str, Any]) -> str | None:
    """What is told of a record whose validation loss is such a mean."""
    names = record.get("valid_sets")
    if not names:
        return None
    if len(names) == 1:
        return f"the validation loss is that of the set {shown_names(names)}"
    return f"the validation loss is the mean over {len(names)} sets: {shown_names(names)}"


def _by_set(metrics: Mapping[str, Sequence[Point]], measure: str) -> dict[str, Sequence[Point]]:
    if any(metrics.get(key.format(measure)) for key in ONE):
        return {}
    found = ((re.fullmatch(OF_A_SET.format(measure), key), points) for key, points in metrics.items())
    return {match[1]: points for match, points in found if match and points}
