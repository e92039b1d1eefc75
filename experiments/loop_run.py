"""From a checked spec to a finished loop: opens the session, joins spec and command line, shows progress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from experiments.errors import SpecError
from experiments.loop import Tuning, open_loop
from experiments.loop_budget import Limits
from experiments.loop_decide import Rules
from experiments.loop_lock import alone
from experiments.loop_progress import Progress
from experiments.spec import Spec, Start
from experiments.table import Result

Record = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the command line says over the spec; None: as the spec says."""

    max_jobs: int | None = None
    max_trained_tokens: int | None = None
    max_cost: float | None = None
    parallel: int | None = None
    ignore_stop: bool = False
    new: bool = False
    base_url: str | None = None


def run_spec(spec: Spec, options: Options) -> Result:
    """Run the loop of `spec` to its end, or report it where it has ended."""
    import tracker
    from tracker.settings import load_env

    load_env()  # before the lock: it is named after the store, which .env may name
    limits = limits_of(spec, options)
    with (
        alone(spec.name, tracker.store_uri()),
        tracker.Session(base_url=options.base_url or spec.base_url, provider=spec.provider) as session,
        Progress(limits.jobs) as progress,
    ):
        rules = rules_of(spec, session.provider.space(spec.model), session.provider.name)
        limits = replace(limits, per_epoch=_per_epoch(rules.context))
        loop = open_loop(session, spec, options.new)
        return Tuning(session, spec, rules, limits, progress, loop).run()


def limits_of(spec: Spec, options: Options) -> Limits:
    """The spec's budget, each part replaced where the command line says another."""
    budget = spec.budget
    return Limits(
        jobs=options.max_jobs or budget.jobs,
        trained_tokens=options.max_trained_tokens or budget.trained_tokens,
        cost_usd=options.max_cost or budget.cost_usd,
        parallel=options.parallel or spec.parallel,
        ignore_stop=options.ignore_stop or spec.ignore_stop,
    )


def rules_of(spec: Spec, space: Record, provider: str) -> Rules:
    """What the advisor is asked: the provider's space, narrowed as the spec says."""
    narrowed = narrow(spec, space)
    return Rules(
        space=narrowed,
        objective=_objective(spec),
        start=_start(spec, narrowed),
        guide_only=spec.guide_only,
        context=_context(spec, provider),
    )


def _context(spec: Spec, provider: str) -> Record:
    """What is known before any job: the data, the model, and what one pass costs, where there is a price."""
    from tracker.prices import cost_usd

    known = sizes(spec)
    cost = cost_usd(provider, spec.model, known["train_tokens"])
    return {**known, "model": spec.model, "provider": provider} | (
        {} if cost is None else {"train_usd": cost}
    )


def _objective(spec: Spec) -> str:
    """The objective as job records name it: a metric such as regex:... has a name of its own there."""
    if spec.eval and spec.objective == spec.eval.metric:
        from tracker.use.metrics import find_metric

        return find_metric(spec.eval.metric).name
    return spec.objective


def sizes(spec: Spec) -> Record:
    """What the advisor is told of the data; raises SpecError with all bad lines of all files."""
    from tracker.data import check_file

    files = {"train": spec.train, "valid": spec.valid, "eval.test": spec.eval.test if spec.eval else None}
    reports = {name: check_file(path) for name, path in files.items() if path}
    problems = [f"{name}: {problem}" for name, report in reports.items() for problem in report.problems]
    if problems:
        raise SpecError(f"spec of loop {spec.name!r}", problems)
    train, valid = reports["train"], reports.get("valid")
    return {
        "n_train_examples": train.n_examples,
        "n_valid_examples": valid.n_examples if valid else 0,
        "train_tokens": train.tokens,
    }


def _per_epoch(context: Record) -> Record:
    """What one pass over the training file takes, as far as it is known before any job."""
    cost = {"cost_usd": context["train_usd"]} if "train_usd" in context else {}
    return {"trained_tokens": context["train_tokens"]} | cost


def narrow(spec: Spec, space: Record) -> Record:
    """The provider's space with the spec's limits; raises SpecError where these, or the start, lie outside it."""
    from advisor import SearchSpace

    knobs = SearchSpace.from_record(space).knobs()
    problems = [
        f"{where}.{knob}: the provider has no such knob; it has {', '.join(knobs)}"
        if knob not in knobs
        else f"{where}.{knob}: {value:g} is outside the provider's limits {space[knob]}"
        for where, knob, value in _given(spec)
        if knob not in knobs or not knobs[knob].contains(value)
    ]
    if problems:
        raise SpecError(f"spec of loop {spec.name!r}", problems)
    return {**space, **spec.space.model_dump(exclude_none=True)}


def _given(spec: Spec) -> Iterator[tuple[str, str, float]]:
    """Every number that the spec gives for a knob, and where it stands."""
    for knob, limits in spec.space.model_dump(exclude_none=True).items():
        for value in limits if isinstance(limits, list) else limits.values():
            yield "space", knob, value
    if isinstance(spec.start, Start):
        for knob, value in spec.start.model_dump(exclude_none=True).items():
            if value != "auto":
                yield "start", knob, value


def _start(spec: Spec, space: Record) -> Record | None:
    knobs = [
        knob
        for knob in ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")
        if knob in space
    ]
    if spec.start == "advisor":
        return None
    given = spec.start.model_dump(exclude_none=True) if isinstance(spec.start, Start) else {}
    return {knob: given.get(knob, "auto") for knob in knobs}
