"""The door of the advisor: jobs in, advice out. Joins measuring, judging and proposing, and does none of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from advisor.cost import priced
from advisor.diagnosis import diagnose
from advisor.history import other_rates, prepared
from advisor.live import judge
from advisor.measure import measure
from advisor.measure.series import cleaned_once
from advisor.nouns import Advice, Diagnosis, Job, SearchSpace
from advisor.propose import keep, propose
from advisor.propose.keeping import best_job
from advisor.propose.objective import LOSS_OBJECTIVES
from advisor.propose.peers import peers_of_newest
from advisor.space_record import by_the_jobs, default_space
from advisor.threads import one_blas_thread


def advise(
    jobs: Sequence[Job],
    space: SearchSpace | None = None,
    *,
    n: int = 1,
    objective: str = "final",
    budget: Any = None,
    prior: Any = None,
    context: dict[str, Any] | None = None,
    guide_only: bool = False,
) -> Advice:
    """Judge the newest job and say what to try next.

    Parameters
    ----------
    jobs : sequence of Job
        Oldest first, unless all carry `created_at`, which then orders them. May be empty.
    space : SearchSpace, optional
        What a proposal may be; None: the widest limits that providers document. A learning rate that it does not limit
        is the jobs' own knob, on their scale.
    n : int
        How many proposals to make at once, for jobs that run in parallel.
    objective : str
        `final` (the last full validation loss), `best_checkpoint`, or the name of an evaluation metric.
    budget : optional
        What is left to spend, as `advisor.propose` reads it.
    prior : optional
        None: the prior shipped with the package; False: none.
    context : dict, optional
        What is known of the data where no job has run: `n_train_examples`, `train_tokens`, `model` ...
    guide_only : bool
        Follow the guide's rules to the letter, measured or not.

    Returns
    -------
    Advice
        Diagnosis of the newest job, `n` proposals, alternatives, the checkpoint to keep, the word on a running job,
        and what was done to the history before it was judged.

    Raises
    ------
    TypeError
        Where a job is no Job or the space no SearchSpace, as records are until `from_record` has read them.
    """
    jobs = list(jobs)  # a generator would be empty after its first reading
    _must_be_nouns(jobs, space)
    _doubt_objective(objective, jobs)
    with cleaned_once(), one_blas_thread():
        jobs, notes = prepared(jobs)
        space = by_the_jobs(jobs, space) if space else default_space(jobs)
        diagnosis = diagnose_newest(jobs)
        proposals, alternatives = propose(
            jobs, diagnosis, space, n=n, objective=objective, budget=budget, prior=prior, context=context,
            guide_only=guide_only,
        )  # fmt: skip
        best = best_job(jobs, objective)
        return Advice(
            diagnosis,
            priced(proposals, jobs, best, context),
            priced(alternatives, jobs, best, context),
            keep(jobs, objective),
            judge(jobs, space, prior),
            (*notes, *other_rates(jobs, space.rate_name)),
        )


def _must_be_nouns(jobs: Sequence[Job], space: SearchSpace | None) -> None:
    for place, job in enumerate(jobs):
        if not isinstance(job, Job):
            told = f"jobs[{place}] is of type {type(job).__name__}; expected a Job"
            raise TypeError(f"{told}: Job.from_record(record) makes one")
    if space is not None and not isinstance(space, SearchSpace):
        told = f"space is of type {type(space).__name__}; expected a SearchSpace"
        raise TypeError(f"{told}: SearchSpace.from_record(record) makes one")


def _doubt_objective(objective: str, jobs: Sequence[Job]) -> None:
    """Warn of a metric that no job has: it may be measured yet, or be a slip of the pen."""
    known = [*LOSS_OBJECTIVES, *sorted({name for job in jobs for name in job.metrics})]
    if objective not in known and any(job.succeeded for job in jobs):
        told = f"objective {objective!r} is no metric of any job, so nothing is known of it"
        warnings.warn(f"{told}; expected one of {', '.join(known)}", stacklevel=3)


def diagnose_newest(jobs: Sequence[Job]) -> Diagnosis:
    """The diagnosis of the newest job beside its peers; of an empty history, that there is none."""
    peers = peers_of_newest(jobs)
    return diagnose(measure(peers[-1], peers[:-1]) if peers else measure(Job()))
