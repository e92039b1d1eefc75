"""What to do next, as a pure function of what the jobs have shown: no store, no provider, no clock.

Everything the loop decides is decided here, so that a loop that was killed decides the same again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from advisor import Advice, Job, SearchSpace, advise
from experiments.loop_budget import Limits, left, spent
from experiments.state import End, Plan

Record = dict[str, Any]
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
# Without a single training loss: then the call itself is wrong (a quota, a key, a setting), and the next fails as well.
FAILURES = 3
KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")


@dataclass(frozen=True)
class Rules:
    """What the advisor is asked, the same for all jobs of a loop."""

    space: Record  # knobs and their limits
    objective: str = "final"
    start: Record | None = None  # the first setting; None: the advisor's own word
    guide_only: bool = False
    context: Record = field(default_factory=dict)  # data and model, for the advisor


def judge(
    records: Sequence[Record], rules: Rules, n: int = 1, budget: dict[str, float] | None = None
) -> Advice:
    """The advisor's word on the newest of `records` and `n` settings to try next."""
    return _answer(json.dumps([list(records), asdict(rules), n, budget]))


@lru_cache(maxsize=4)  # the verdict on a job and the proposal for the next are the same question: asked once
def _answer(question: str) -> Advice:
    records, rules, n, budget = json.loads(question)
    return advise(
        [Job.from_record(r) for r in records],
        SearchSpace.from_record(rules["space"]),
        n=n,
        objective=rules["objective"],
        budget=budget,
        context=rules["context"] or None,
        guide_only=rules["guide_only"],
    )


def decide(
    plans: Sequence[Plan], records: Sequence[Record], rules: Rules, limits: Limits
) -> list[Plan] | End:
    """The plans to submit now (none: wait for a running job), or why the loop ends.

    Parameters
    ----------
    plans, records
        One of each per job, in the order of the jobs' numbers.
    """
    running = sum(record.get("status") not in TERMINAL for record in records)
    free = limits.parallel - running
    if free <= 0:
        return []
    end = spent(records, limits) or _failures(records, limits)
    if end is None:
        wanted = min(free, limits.jobs - len(plans))
        chosen = _choose(records, rules, limits, wanted)
        if isinstance(chosen, End):
            end = chosen
        else:
            return _number(chosen, plans, records)
    return [] if running else end


def _failures(records: Sequence[Record], limits: Limits) -> End | None:
    """The end where one job after another has failed before it began to train."""
    last = records[-FAILURES:]
    failed = [record for record in last if record.get("status") == "failed" and not record.get("train_loss")]
    if limits.ignore_stop or len(failed) < FAILURES:
        return None
    why = f" ({failed[-1]['error']})" if failed[-1].get("error") else ""
    return End(
        "failures",
        f"the last {FAILURES} jobs failed before their first step{why}; mend the cause and go on with --ignore-stop",
    )


def _choose(records: Sequence[Record], rules: Rules, limits: Limits, wanted: int) -> list[Plan] | End:
    """Settings to try next, within the budget that is left; numbered later."""
    if not records and rules.start:
        start = Plan(0, rules.start, why="the loop starts here, as its spec says")
        return _affordable([start], records, limits)
    advice = judge(records, rules, wanted, left(records, limits))
    first = advice.proposals[0]
    if first.stop and (not limits.ignore_stop or first.hyperparameters is None):
        named = first.hyperparameters and _asked(first.hyperparameters.to_record())
        return spent(records, limits, named or _shortest(rules.space)) or End(
            "advice", first.reason or first.expect or "the advisor sees nothing worth a further job"
        )
    chosen = [
        Plan(0, _asked(p.hyperparameters.to_record()), because=p.because, why=p.expect or p.reason or "")
        for p in advice.proposals
        if p.hyperparameters is not None and (limits.ignore_stop or not p.stop)
    ]
    return _affordable(chosen, records, limits)


def _shortest(space: Record) -> Record:
    """The setting that costs least: the advisor names none where what is left pays for none."""
    return {"n_epochs": SearchSpace.from_record(space).n_epochs.nearest(1)}


def _affordable(chosen: list[Plan], records: Sequence[Record], limits: Limits) -> list[Plan] | End:
    """As many of the settings as the budget bears together; the end where it bears none."""
    ahead = list(records)
    for number, plan in enumerate(chosen):
        end = spent(ahead, limits, plan.hyperparameters)
        if end:
            return chosen[:number] or end
        ahead.append({"status": "queued", "hyperparameters": plan.hyperparameters})
    return chosen


def _number(chosen: list[Plan], plans: Sequence[Plan], records: Sequence[Record]) -> list[Plan]:
    before = records[-1] if records else None
    return [
        Plan(number, plan.hyperparameters, _changed(before, plan.hyperparameters), plan.because, plan.why)
        for number, plan in enumerate(chosen, start=len(plans) + 1)
    ]


def _asked(hyperparameters: Record) -> Record:
    return {knob: value for knob, value in hyperparameters.items() if value is not None}


def _changed(before: Record | None, hyperparameters: Record) -> str:
    """What differs from the job before, in words: "n_epochs 3 to 6"."""
    if before is None:
        return "first job"
    was = before.get("hyperparameters") or {}
    words = [
        f"{knob} {_figure(was.get(knob))} to {_figure(hyperparameters[knob])}"
        for knob in KNOBS
        if _is_number(hyperparameters.get(knob)) and was.get(knob) != hyperparameters[knob]
    ]
    return ", ".join(words) or "the same setting as asked"


def _figure(value: Any) -> str:
    """A knob that the provider has not resolved yet was asked as "auto"."""
    return f"{value:.4g}" if _is_number(value) else "auto"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
