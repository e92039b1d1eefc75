"""The history as it is judged: oldest first, each job once, nothing that its own losses contradict.

What was left out or set aside on the way is told in words, so that no figure rests on jobs that nobody expects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from advisor.measure.base import losses, without_wrong_base
from advisor.measure.method import loss_of
from advisor.nouns import Curve, Job
from advisor.propose.peers import peers_of_newest, strangers
from advisor.propose.wording import SHORT, listed
from advisor.records import RATES, is_number

FEW = 3  # losses from which it is no chance that two jobs share them, rounded as they are
CURVES = ("train", "valid", "full_valid")


def prepared(jobs: Sequence[Job]) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """The jobs that are judged, each with an id of its own, and in words what was done to those given, and which are not
    compared.
    """
    groups = _of_one_job(ordered(jobs))
    once = _named(groups)
    believed = tuple(without_wrong_base(j) for j in once)
    copies = [_told([job for _, job in reversed(g)]) for g in groups if len(g) > 1]
    wrong = [_wrong_base(a) for a, b in zip(once, believed, strict=True) if a is not b]
    return believed, (*copies, *wrong, *_elsewhere(believed))


def ordered(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Oldest first: by `created_at` where every job carries it, else as given."""
    if any(j.created_at is None for j in jobs):
        return tuple(jobs)
    return tuple(sorted(jobs, key=lambda j: j.created_at))  # stable: equal times keep the given order


def names_taken_twice(jobs: Sequence[Job]) -> dict[str, int]:
    """Ids that stand for several jobs, with how many."""
    count = Counter(g[0][1].id for g in _of_one_job(jobs))
    return {name: times for name, times in count.items() if name is not None and times > 1}


def _of_one_job(jobs: Sequence[Job]) -> list[list[tuple[int, Job]]]:
    """Records by the job that they are of, each with its place from 1; the newest first in each, the jobs as they ended.

    One job: one setting and the same losses to the last digit, for a job that was exported twice, or run again where
    nothing is left to chance, tells nothing that the first did not; or one id, and the beginning of what it showed
    later.
    """
    groups: list[list[tuple[int, Job]]] = []
    likely: dict[Any, list[list[tuple[int, Job]]]] = {}  # by setting and by id: of thousands few are compared
    for place, job in reversed(list(enumerate(jobs, 1))):
        near = [*likely.get(job.hyperparameters, []), *likely.get(job.id, [])]
        alike = next((g for g in near if _one(job, g[0][1])), None)
        if alike is None:
            groups.append(alike := [])
            for key in {job.hyperparameters, job.id} - {None}:
                likely.setdefault(key, []).append(alike)
        alike.append((place, job))
    return groups[::-1]


def _named(groups: list[list[tuple[int, Job]]]) -> list[Job]:
    """Each job once; "job 3", by its place, where it has no id of its own."""
    taken = Counter(g[0][1].id for g in groups)
    once = [(g[0][0], _joined([job for _, job in g])) for g in groups]
    return [
        replace(job, id=f"job {place}") if job.id is None or taken[job.id] > 1 else job for place, job in once
    ]


def _one(a: Job, b: Job) -> bool:
    if (a.model, a.valid_digest) != (b.model, b.valid_digest):
        return False
    named_alike = a.id is not None and a.id == b.id
    if named_alike and (_begins(a, b) or _begins(b, a)):
        return True
    return (
        a.hyperparameters == b.hyperparameters and _same_losses(a, b) and (named_alike or _numbers(a) >= FEW)
    )


def _begins(early: Job, later: Job) -> bool:
    """Whether `early` may be `later` while it ran: its provider may have resolved an "auto" meanwhile."""
    knobs = zip(vars(early.hyperparameters).values(), vars(later.hyperparameters).values(), strict=True)
    if not early.pending or any(x != y for x, y in knobs if is_number(x) and is_number(y)):
        return False
    pairs = [(getattr(early, name), getattr(later, name)) for name in CURVES]
    return all(a == Curve(b.step[: len(a)], b.loss[: len(a)]) for a, b in pairs)


def _same_losses(a: Job, b: Job) -> bool:
    same = all(getattr(a, name) == getattr(b, name) for name in CURVES)
    return same and _shown(a) > 0 and (not a.metrics or not b.metrics or a.metrics == b.metrics)


def _shown(job: Job) -> int:
    """Points of its curves."""
    return sum(len(getattr(job, name)) for name in CURVES)


def _numbers(job: Job) -> int:
    """Losses that are numbers: by what is none, jobs that blew up at one step are all alike."""
    return sum(int(np.isfinite(getattr(job, name).loss).sum()) for name in CURVES)


def _joined(group: list[Job]) -> Job:
    """The newest record that tells an end, with what only others tell; `group` newest first."""
    best, *others = sorted(group, key=lambda j: j.pending)  # stable: among those that ended the newest
    lacking = {
        f.name: next((v for j in others if _tells(v := getattr(j, f.name))), getattr(best, f.name))
        for f in fields(Job)
        if not _tells(getattr(best, f.name))
    }
    return replace(best, **lacking)


def _tells(value: object) -> bool:
    return len(value) > 0 if isinstance(value, Curve | tuple | dict) else value is not None


def _told(group: list[Job]) -> str:
    counts = Counter(j.id or "a job without an id" for j in group)
    names = listed([f"{times} records of {name}" if times > 1 else name for name, times in counts.items()])
    if _same_losses(group[0], group[-1]):
        return f"{names} have one setting and the same losses to the last digit: counted as one job"
    return f"{names} are one job, told while it ran and later: counted as one"


def _wrong_base(job: Job) -> str:
    logged = losses(job)
    return (
        f"base_valid_loss of {job.id} is {job.base_valid_loss:.4g}, but its losses begin at {float(logged[0]):.4g} and "
        f"lie from {logged.min():.4g} to {logged.max():.4g}: the loss before training is left out"
    )


def _elsewhere(jobs: Sequence[Job]) -> list[str]:
    """Which jobs are not compared with the newest, and why."""
    apart = strangers(jobs)
    models = [j for j in apart if _differ(j.model, jobs[-1].model)]
    rest = [j for j in apart if not _differ(j.model, jobs[-1].model)]
    methods = [j for j in rest if _differ(loss_of(j.method), loss_of(jobs[-1].method))]
    data, of, told = len(rest) - len(methods), f"of {len(jobs)} jobs", []
    if models:
        names = listed(sorted({str(j.model) for j in models}))
        told.append(
            f"{len(models)} {of} tuned another model ({names}): losses are not compared across models"
        )
    if methods:
        names = listed(sorted({str(j.method) for j in methods}))
        told.append(
            f"{len(methods)} {of} trained by another method ({names}): losses are not compared across methods"
        )
    if data:
        told.append(f"{data} {of} had other validation data: losses are not compared across data")
    return told


def _differ(a: str | None, b: str | None) -> bool:
    return None not in (a, b) and a != b


def other_rates(jobs: Sequence[Job], rate_name: str) -> tuple[str, ...]:
    """What is told of the newest job's peers whose learning rate is not in the unit that is proposed."""
    other = next(name for name in RATES if name != rate_name)
    peers = peers_of_newest(jobs)
    far = [j for j in peers if getattr(j.hyperparameters, other) is not None]
    if not far or len(far) == len(peers):  # of all of them the proposal itself says so
        return ()
    what = f"a {SHORT[other]} and no {SHORT[rate_name]}: read as if that were the usual one"
    return (f"{len(far)} of {len(peers)} jobs {'has' if len(far) == 1 else 'have'} {what}",)
