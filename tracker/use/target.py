"""What a name on the command line means: an MLflow run, a provider's job, or a model. Reads MLflow, asks no provider."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.errors import InputError
from tracker.runs import PARENT, Reader, RunRow, reader

MODEL_TAG = "fine_tuned_model"
BEST = "best_full_valid_loss"


@dataclass(frozen=True)
class Target:
    """A tuned model, the model it was tuned from, and the run that tells of it; None where not known."""

    model: str
    base: str | None = None
    run_id: str | None = None


def find_target(name: str, tracking_uri: str) -> Target:
    """Find what a name means.

    Parameters
    ----------
    name
        A run's id (a loop's means its best job), a job's id, a tuned model's name, or any model's name.

    Raises
    ------
    InputError
        The run is there but has no tuned model.
    """
    store = reader(tracking_uri)
    row = find_run(store, name)
    if row is None:
        return Target(name, base_of(name))
    model = row.tags.get(MODEL_TAG)
    if not model:
        status = row.tags.get("job.status", row.status)
        raise InputError(
            f"Run {row.run_id} has no tuned model (its job is {status}); name another run, or a model."
        )
    return Target(model, row.params.get("model") or base_of(model), row.run_id)


def find_run(store: Reader, name: str) -> RunRow | None:
    """The run of a run's id, a job's id or a tuned model; of a loop, its best job; None where there is none."""
    rows = store.runs(run_ids=[name]) or store.runs(tag=("job.id", name)) or store.runs(tag=(MODEL_TAG, name))
    if not rows:
        return None
    children = store.runs(tag=(PARENT, rows[-1].run_id))
    return best_of(store, children) if children else rows[-1]


def best_of(store: Reader, rows: list[RunRow]) -> RunRow:
    """The run of the lowest full validation loss among those with a model; the newest where none has one."""
    losses = {
        run_id: latest.get(BEST) for run_id, latest in store.latest([row.run_id for row in rows]).items()
    }
    known = [row for row in rows if losses[row.run_id] is not None and row.tags.get(MODEL_TAG)]
    return min(known, key=lambda row: losses[row.run_id]) if known else rows[-1]


def base_of(model: str) -> str | None:
    """The base of a tuned model's name of OpenAI's form, `ft:BASE:...`; None for other names."""
    parts = model.split(":")
    return parts[1] if parts[0] == "ft" and len(parts) > 2 else None
