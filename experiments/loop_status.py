"""Loops as the store has them, without a provider: asks nobody to train, changes nothing."""

from __future__ import annotations

from typing import Any

from experiments import state
from experiments.errors import NoSuchLoop
from experiments.loop_decide import Rules, judge
from experiments.table import Result


def one_loop(name: str) -> Result:
    """The newest loop of this name; raises NoSuchLoop where there is none."""
    import tracker

    loop = tracker.find_loop(name)
    if loop is None:
        raise NoSuchLoop(name, tracker.store_uri(), sorted({loop.name for loop in tracker.loops()}))
    plans, end = state.read(loop.tags)
    records = state.in_order(plans, tracker.records(run_id=loop.run_id), loop.run_id)
    rules = Rules(space={}, objective=loop.spec.get("objective", "final"))
    return Result.of(loop, plans, records, end, judge(records, rules).keep.to_record())


def every_loop() -> list[dict[str, Any]]:
    """One short record per loop, newest first."""
    import tracker

    out = []
    for loop in reversed(tracker.loops()):
        plans, end = state.read(loop.tags)
        words = f"ended: {end.words}" if end else "not ended"
        out.append(
            {
                "name": loop.name,
                "run_id": loop.run_id,
                "experiment": loop.experiment,
                "jobs": len(plans),
                "state": words,
            }
        )
    return out
