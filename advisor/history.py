"""The history as it is judged: oldest first, each job once, nothing that its own losses contradict.

What was left out or set aside on the way is told in words, so that no figure rests on jobs that nobody expects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from advisor.measure.base import without_wrong_base
from advisor.measure.series import clean
from advisor.nouns import Job
from advisor.propose.peers import peers_of_newest, strangers

CURVES = ("train", "valid", "full_valid")


def prepared(jobs: Sequence[Job]) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """The jobs that are judged, and in words what was done to those given and which are not compared."""
    once, copies = without_copies(ordered(jobs))
    believed = tuple(without_wrong_base(j) for j in once)
    wrong = [_wrong_base(a) for a, b in zip(once, believed, strict=True) if a is not b]
    return believed, (*copies, *wrong, *_elsewhere(believed))


def ordered(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Oldest first: by `created_at` where every job carries it, else as given."""
    if any(j.created_at is None for j in jobs):
        return tuple(jobs)
    return tuple(sorted(jobs, key=lambda j: j.created_at))  # stable: equal times keep the given order


def without_copies(jobs: Sequence[Job]) -> tuple[tuple[Job, ...], list[str]]:
    """The last of each group of jobs with one setting and the same losses to the last digit, and which were more.

    A job that was exported twice, or run again where nothing is left to chance, tells nothing that the first did not.
    """
    groups: list[list[Job]] = []  # newest first
    for job in reversed(jobs):
        alike = next((g for g in groups if _shows(job) and _copy(job, g[0])), None)
        if alike is None:
            groups.append([job])
        else:
            alike.append(job)
    groups.reverse()
    told = "have one setting and the same losses to the last digit: counted as one job"
    return tuple(g[0] for g in groups), [f"{_named(g[::-1])} {told}" for g in groups if len(g) > 1]


def _shows(job: Job) -> bool:
    return any(len(getattr(job, name)) for name in CURVES)


def _copy(a: Job, b: Job) -> bool:
    same = (a.hyperparameters, a.model, a.valid_digest) == (b.hyperparameters, b.model, b.valid_digest)
    return same and all(getattr(a, name) == getattr(b, name) for name in CURVES)


def _named(group: list[Job]) -> str:
    names = Counter(j.id or "a job without an id" for j in group)
    return _listed(f"{times} records of {name}" if times > 1 else name for name, times in names.items())


def _listed(items: Iterable[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def _wrong_base(job: Job) -> str:
    name, first = job.id or "a job", float(clean(job.train).loss[0])
    return (
        f"base_valid_loss of {name} is {job.base_valid_loss:.4g}, but its first training loss is {first:.4g} and "
        "its validation losses agree with that: the loss before training is left out"
    )


def _elsewhere(jobs: Sequence[Job]) -> list[str]:
    """Which jobs are not compared with the newest, and why."""
    apart, peers = strangers(jobs), peers_of_newest(jobs)
    models = [j for j in apart if None not in (j.model, jobs[-1].model) and j.model != jobs[-1].model]
    data = len(apart) - len(models)
    hint = "their settings are a hint, their losses are not compared"
    told = []
    if models:
        names = _listed(sorted({str(j.model) for j in models}))
        told.append(f"{len(models)} of {len(jobs)} jobs tuned another model ({names}): {hint}")
    if data:
        told.append(f"{data} of {len(jobs)} jobs had other validation data: {hint}")
    return [*told, *_other_rates(peers)]


def _other_rates(peers: Sequence[Job]) -> list[str]:
    """Peers whose learning rate is in another unit than the newest job's."""
    ours, other = "learning_rate_multiplier", "learning_rate"
    if peers and getattr(peers[-1].hyperparameters, other) is not None:
        ours, other = other, ours
    far = [j for j in peers if getattr(j.hyperparameters, other) is not None]
    if not far or all(getattr(j.hyperparameters, ours) is None for j in peers):
        return []
    other, ours = other.replace("_", " "), ours.replace("_", " ")
    have = "has" if len(far) == 1 else "have"
    return [
        f"{len(far)} of {len(peers)} jobs {have} a {other} and no {ours}: read as if that were the usual one"
    ]
