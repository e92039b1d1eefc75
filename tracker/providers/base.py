"""What a provider is: data of its file, and the few translations that the data imply. No network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")

#: Knobs that count something.
WHOLE = ("n_epochs", "batch_size")

#: Statuses after which nothing changes any more.
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})

#: Job status -> MLflow run status; every other status means RUNNING. ``pending`` is Azure's word for queued.
RUN_STATUS = {
    "succeeded": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "lost": "KILLED",  # no provider's word, but ours for a job of which nothing further can be learned
    "queued": "SCHEDULED",
    "paused": "SCHEDULED",
    "pending": "SCHEDULED",
}

Limits = Mapping[str, Any]

#: OpenAI's base models of the first generations take multipliers of another scale: its legacy guide advised 0.02 to 0.2
#: (0.05, 0.1 or 0.2 by default). babbage-002 and davinci-002 followed them, at OpenAI and at Azure.
LEGACY_SEARCH = {
    family: {"learning_rate_multiplier": {"min": 0.02, "max": 0.2}}
    for family in ("ada", "babbage", "curie", "davinci")
}


@dataclass(frozen=True)
class Provider:
    """One provider, as data.

    Parameters
    ----------
    limits
        What the provider takes, by knob (a list, or ``{"min", "max"}``, or ``"above"`` for an end that is excluded), on
        its own scale. A provider without a multiplier has ``learning_rate`` (absolute) in its place.
    search
        Where the search looks by default, by knob, where that is narrower than what is taken.
    auto
        What "auto" means there, in words with their source.
    wire
        Our knob -> the provider's name for it, where they differ.
    statuses
        The provider's status -> ours, where they differ.
    extra
        Fields of its own that a create must carry unless the user says otherwise.
    model_search
        Where the search looks for the models of a family (their name is the key, or goes on after a hyphen), by knob.
    omits_auto
        Whether "auto" is said by leaving a setting out.
    requests_per_second, poll_s
        The most requests sent, and the shortest time between two looks at one job.
    client
        ``openai`` for those that speak its API, else the module of the adapter in this package.
    """

    name: str
    title: str
    hosts: tuple[str, ...]
    limits: Limits
    auto: str
    base_url: str = ""
    url_env: tuple[str, ...] = ("OPENAI_BASE_URL",)
    key_env: tuple[str, ...] = ("OPENAI_API_KEY",)
    search: Limits = field(default_factory=dict)
    wire: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    model_search: Mapping[str, Limits] = field(default_factory=dict)
    requests_per_second: float = 10.0
    poll_s: float = 1.0
    omits_auto: bool = False
    api_version: str | None = None
    client: str = "openai"
    notes: str = ""

    @property
    def absolute(self) -> bool:
        """Whether the learning rate is absolute here, not a multiplier."""
        return "learning_rate" in self.limits

    def space(self, model: str | None = None) -> dict[str, Any]:
        """Return the search space of a model: a SearchSpace record on this provider's scale."""
        return {
            knob: _copy(limit) for knob, limit in {**self.limits, **self.search, **self._own(model)}.items()
        }

    def _own(self, model: str | None) -> dict[str, Any]:
        """Return where the search looks for this model, or for the one that it was tuned from ("ft:BASE:...")."""
        base = (model or "").removeprefix("ft:").partition(":")[0]
        families = [family for family in self.model_search if f"{base}-".startswith(f"{family}-")]
        return {knob: limit for family in families for knob, limit in self.model_search[family].items()}

    def problems(self, hyperparameters: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with settings before they are sent: unknown knobs, values outside the limits."""
        space, found = self.limits, []
        for knob, value in hyperparameters.items():
            if value is None or value == "auto":
                continue
            if knob in KNOBS and knob not in space:
                found.append(f"{self.title} has no {knob}; its knobs are {', '.join(space)}.")
            elif knob in WHOLE and isinstance(value, float) and not value.is_integer():
                found.append(f"{knob} = {value!r} is not allowed: a whole number or auto expected.")
            elif knob in space and not _within(value, space[knob]):
                found.append(
                    f"{knob} = {value!r} is not allowed at {self.title}: {_told(space[knob])} expected."
                )
        return found

    def to_wire(self, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings under the provider's names; what is None is left out, and "auto" where it is not understood."""
        left_out = (None, "auto") if self.omits_auto else (None,)
        return {self.wire.get(k, k): v for k, v in hyperparameters.items() if v not in left_out}

    def request(
        self, *, model: str, training_file: str, hyperparameters: Mapping[str, Any], **rest: Any
    ) -> dict[str, Any]:
        """Return the keyword arguments of ``fine_tuning.jobs.create``."""
        wire = self.to_wire(hyperparameters)
        body: dict[str, Any] = {"model": model, "training_file": training_file}
        body |= {key: value for key, value in rest.items() if value is not None}
        if wire:
            body["method"] = {"type": "supervised", "supervised": {"hyperparameters": wire}}
        if self.extra:
            body["extra_body"] = {**self.extra, **(body.get("extra_body") or {})}
        return body

    def status(self, job: Mapping[str, Any]) -> str:
        """Return a job's status in our words; unknown ones pass as they are."""
        status = str(job.get("status") or "unknown").lower()
        return self.statuses.get(status, status)

    def hyperparameters(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Return a job's settings under our names: the knobs first, then whatever else the provider has."""
        method = job.get("method") if isinstance(job.get("method"), dict) else {}
        kind = method.get("type")
        nested = method.get(kind) if isinstance(method.get(kind), dict) else {}
        found = {**_dict(nested.get("hyperparameters")), **_known(job.get("hyperparameters"))}
        ours = {theirs: mine for mine, theirs in self.wire.items()}
        return {ours.get(key, key): value for key, value in found.items()}


def resolved(value: Any) -> bool:
    """Whether a setting is a value, not a placeholder ("auto", -1, null)."""
    return value is not None and value != "auto" and not (isinstance(value, (int, float)) and value == -1)


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _known(value: Any) -> dict[str, Any]:
    """Top-level settings win over the method's, unless they are mere placeholders."""
    return {key: item for key, item in _dict(value).items() if resolved(item)}


def _copy(limit: Any) -> Any:
    return dict(limit) if isinstance(limit, Mapping) else list(limit)


def _within(value: Any, limit: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if isinstance(limit, list):
        return value in limit
    return limit.get("min", value) <= value <= limit.get("max", value) and value > limit.get(
        "above", -math.inf
    )


def _told(limit: Any) -> str:
    if isinstance(limit, list):
        return "one of " + ", ".join(str(value) for value in limit)
    if "above" in limit:
        return f"more than {limit['above']}, at most {limit.get('max', 'inf'):g}"
    return f"{limit.get('min', '-inf')} to {limit.get('max', 'inf')}"
