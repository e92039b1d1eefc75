"""Loops as the store has them, without a provider: asks nobody to train, changes nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from experiments import state
from experiments.errors import NoSuchLoop
from experiments.loop_decide import Rules, judge
from experiments.table import Result

if TYPE_CHECKING:
    from tracker import Loop


RUN_ID = re.compile(r"[0-9a-f]{6,32}")  # so many characters tell the runs of a store apart


def one_loop(name: str) -> Result:
    """The newest loop of this name, or the loop whose run's id begins so; raises NoSuchLoop where there is none."""
    import tracker
    from tracker.settings import load_env

    load_env()
    loop = tracker.find_loop(name) or _by_run(name)
    if loop is None:
        raise NoSuchLoop(name, tracker.store_uri(), sorted({loop.name for loop in tracker.loops()}))
    plans, end = state.read(loop.tags)
    records = state.in_order(plans, tracker.records(run_id=loop.run_id), loop.run_id)
    rules = Rules(space={}, objective=loop.spec.get("objective", "final"))
    return Result.of(loop, plans, records, end, judge(records, rules).keep.to_record())


def _by_run(name: str) -> Loop | None:
    import tracker

    known = tracker.loops() if RUN_ID.fullmatch(name) else []
    return next((loop for loop in known if loop.run_id.startswith(name)), None)


def every_loop() -> list[dict[str, Any]]:
    """One short record per loop, newest first."""
    import tracker
    from tracker.settings import load_env

    load_env()
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
