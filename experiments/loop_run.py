"""From a checked spec to a finished loop: opens the session, joins spec and command line, shows progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.errors import SpecError
from experiments.loop import Tuning, open_loop
from experiments.loop_budget import Limits
from experiments.loop_decide import Rules
from experiments.loop_lock import alone
from experiments.loop_progress import Progress
from experiments.spec import Spec, Start
from experiments.table import Result

if TYPE_CHECKING:
    from pathlib import Path

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

    limits = limits_of(spec, options)
    with (
        alone(spec.name, tracker.store_uri()),
        tracker.Session(base_url=options.base_url or spec.base_url, provider=spec.provider) as session,
        Progress(limits.jobs) as progress,
    ):
        rules = rules_of(spec, session.provider.space(spec.model), session.provider.name)
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
        objective=spec.objective,
        start=_start(spec, narrowed),
        guide_only=spec.guide_only,
        context={
            "n_train_examples": _examples(spec.train),
            "n_valid_examples": _examples(spec.valid) if spec.valid else 0,
            "model": spec.model,
            "provider": provider,
        },
    )


def narrow(spec: Spec, space: Record) -> Record:
    """The provider's space with the spec's limits; raises SpecError where these lie outside it."""
    from advisor import SearchSpace

    wanted = spec.space.model_dump(exclude_none=True)
    provider = SearchSpace.from_record(space).knobs()
    problems = [
        f"space.{knob}: the provider has no such knob; it has {', '.join(provider)}"
        for knob in wanted
        if knob not in provider
    ]
    for knob in wanted.keys() & provider.keys():
        values = wanted[knob] if isinstance(wanted[knob], list) else wanted[knob].values()
        problems += [
            f"space.{knob}: {value:g} is outside the provider's limits {space[knob]}"
            for value in values
            if not provider[knob].contains(value)
        ]
    if problems:
        raise SpecError(f"spec of loop {spec.name!r}", problems)
    return {**space, **wanted}


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


def _examples(path: Path) -> int:
    """Rows of a JSONL file: its lines that are not blank."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
