"""Reads what somebody asks from JSON: the jobs, and with them the space and the context.

Pure: text in, nouns out. All problems of one request come together, each naming its value.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from advisor.history import names_taken_twice
from advisor.nouns import Job, SearchSpace
from advisor.records import CURVES, NUMBERS, TEXTS, RecordError, read_job, show
from advisor.space_record import completed, default_space
from advisor.tell.context import read_context

RUN_ID = re.compile(r"[0-9a-f]{32}")  # as MLflow makes them
OBJECTIVES = ("final", "best_checkpoint")

LOSSES = {"train_loss", "valid_loss", "full_valid_loss"}
# Fields of a job's record that are read. `tracker` tells more, and such records say whence they come.
FIELDS = {
    *TEXTS,
    *NUMBERS,
    *CURVES.values(),
    "hyperparameters",
    "train_file",
    "valid_file",
    "checkpoints",
    "metrics",
}
TRACKED = {"run_id", "source"}
OURS = {"jobs", "context", "space", "hyperparameters"}  # of these a question or a bare job has at least one


@dataclass(frozen=True)
class Request:
    """What `advise` is asked: nouns for judging, records for telling (they name files)."""

    jobs: list[Job]
    records: list[dict[str, Any]]
    space: SearchSpace | None = None
    context: dict[str, Any] | None = None

    @property
    def newest(self) -> dict[str, Any] | None:
        return self.records[-1] if self.records else None

    @property
    def told(self) -> list[Job | dict[str, Any]]:
        """The jobs for telling: nouns, but for the newest, whose record names its files."""
        return [*self.jobs[:-1], *self.records[-1:]]

    def runs_of(self, asked: str | None) -> list[str]:
        """The MLflow runs that advice belongs to: the one asked for, by its id or its job's, and the newest job's.

        What else was asked for is the name of an experiment or of runs.
        """
        by_job = {r.get("id"): r.get("run_id") for r in self.records}
        meant = by_job.get(asked) or (asked if asked and RUN_ID.fullmatch(asked) else None)
        newest = (self.newest or {}).get("run_id")
        return list(dict.fromkeys(run for run in (meant, newest) if run))

    def space_within(self, provider: SearchSpace | None) -> SearchSpace:
        """The space asked for; a knob that it does not limit is as the provider has it, or as the jobs do."""
        usual = provider or default_space(self.jobs)
        return completed(self.space, usual) if self.space else usual

    def with_context(self, **more: Any) -> Request:
        return replace(self, context={**(self.context or {}), **more})

    def must_know(self, objective: str) -> None:
        """Raise RecordError where an objective is neither one of ours nor a metric that a job has."""
        known = [*OBJECTIVES, *sorted({name for job in self.jobs for name in job.metrics})]
        if objective not in known:
            raise RecordError(
                [f"objective {objective!r} is no metric of any job; expected one of {', '.join(known)}"]
            )


@dataclass
class _Problems:
    found: list[str] = field(default_factory=list)

    def collect(self, read: Any, *value: Any) -> Any:
        try:
            return read(*value)
        except RecordError as error:
            self.found += error.problems
            return None


def is_question(body: Any) -> bool:
    """Whether decoded JSON is of our own form, whose space and context count."""
    return isinstance(body, Mapping) and isinstance(body.get("jobs"), list)


def is_ours(body: Any) -> bool:
    """Whether decoded JSON is no trainer's log: job records, or a question however little it says."""
    if isinstance(body, Sequence) and not isinstance(body, str):
        return not body or any(not isinstance(row, Mapping) or FIELDS & row.keys() for row in body)
    return not isinstance(body, Mapping) or not body or bool(OURS & body.keys())


def parse(jobs: Any, space: Any = None) -> Request:
    """A request from decoded JSON: a list of jobs, or an object with `jobs`, `space`, `context`.

    Raises
    ------
    RecordError
        With every problem of the jobs, the space and the context.
    """
    problems = _Problems()
    body = {"jobs": jobs} if isinstance(jobs, list) else jobs
    if not isinstance(body, Mapping):
        raise RecordError(
            [f"the input is of type {type(body).__name__}; expected a list of jobs or an object with them"]
        )
    if not OURS & body.keys():
        raise RecordError(
            [
                f"the input has none of {', '.join(sorted(OURS))}; expected a list of jobs or an object with them"
            ]
        )
    records = body.get("jobs")
    if records is None and "hyperparameters" in body:  # one bare job
        body, records = {"jobs": [body]}, [body]
    records = [] if records is None else records
    if not isinstance(records, Sequence) or isinstance(records, str):
        raise RecordError([f"jobs is of type {type(records).__name__}; expected a list of job records"])
    nouns = [problems.collect(read_job, r, f"jobs[{i}]") for i, r in enumerate(records)]
    asked = space if space is not None else body.get("space")
    bounds = None if asked is None else problems.collect(SearchSpace.from_record, asked)
    context = problems.collect(read_context, body.get("context"))
    if problems.found:
        raise RecordError(problems.found)
    if all(j.created_at is not None for j in nouns):
        pairs = sorted(zip(nouns, records, strict=True), key=lambda pair: pair[0].created_at)
        nouns, records = [j for j, _ in pairs], [r for _, r in pairs]
    _doubtful(nouns, records)
    return Request(nouns, [dict(r) for r in records], bounds, context)


def _doubtful(jobs: Sequence[Job], records: Sequence[Mapping[str, Any]]) -> None:
    """Warn of what is legal and probably not meant: names taken twice, results under a name that is none of ours."""
    for name, times in names_taken_twice(jobs).items():
        told = f"{times} jobs have the id {name}: taken as different jobs; leave out what is there twice"
        warnings.warn(told, stacklevel=3)
    for i, (job, record) in enumerate(zip(jobs, records, strict=True)):
        unknown = [str(k) for k in record if k not in FIELDS]
        if unknown and job.succeeded and not (LOSSES | TRACKED) & record.keys():
            told = f"jobs[{i}] has no losses ({', '.join(sorted(LOSSES))}), and its {', '.join(unknown[:5])} is not known"
            warnings.warn(told, stacklevel=3)


def decode(text: str, name: str) -> Any:
    """JSON from a text; raises RecordError that says where in `name` it is broken."""
    if not text.strip():
        raise RecordError([f"{name} is empty; expected the JSON of a list of jobs"])
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RecordError([f"{name} is no JSON: {error.msg} at {where}"]) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; thousands of brackets
        raise RecordError(
            [f"{name} is JSON that no reader takes: nested too deep, or with an endless number"]
        ) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of a name that stands there twice the last counts, as everywhere, and somebody is told."""
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        told = f"an object of the JSON has {', '.join(map(show, twice[:5]))} more than once: the last counts"
        warnings.warn(told, stacklevel=4)
    return dict(pairs)
