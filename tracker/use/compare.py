"""What differs between runs: settings, data, results. Reads MLflow alone, and loads none of it on a local store."""

from __future__ import annotations

from typing import Any

from tracker.errors import InputError
from tracker.runs import PARENT, RunRow, reader
from tracker.use.target import find_run

# Results in the order of interest; evaluation metrics follow by name.
RESULTS = (
    "base_valid_loss", "best_full_valid_loss", "best_step", "full_valid_loss", "valid_loss", "train_loss",
    "full_valid_mean_token_accuracy", "trained_tokens", "cost_usd",
)  # fmt: skip
FACTS = ("job.status", "advisor.diagnosis", "fine_tuned_model")


def compare(names: list[str], tracking_uri: str) -> dict[str, Any]:
    """Put runs side by side.

    Parameters
    ----------
    names
        Runs, jobs or models; a single loop stands for all of its jobs.

    Returns
    -------
    dict
        `runs` (id and name, in order), and `rows`: `what`, `values` (by run, None where it has none) and `same`.

    Raises
    ------
    InputError
        Naming every name that is no run; or there are fewer than two runs.
    """
    store = reader(tracking_uri)
    rows = _runs(store, names)
    latest = store.latest([row.run_id for row in rows])
    lines = []
    for key in _ordered({key for row in rows for key in row.params}):
        lines.append((key, [row.params.get(key) for row in rows]))
    for key in FACTS:
        lines.append((key, [row.tags.get(key) for row in rows]))
    evals = sorted({key for values in latest.values() for key in values if key.startswith("eval.")})
    for key in (*RESULTS, *evals):
        lines.append((key, [latest[row.run_id].get(key) for row in rows]))
    told = [
        {"what": k, "values": v, "same": len(set(v)) == 1} for k, v in lines if any(x is not None for x in v)
    ]
    return {"runs": [{"run_id": row.run_id, "name": row.name} for row in rows], "rows": told}


def _runs(store: Any, names: list[str]) -> list[RunRow]:
    if len(names) == 1 and (children := store.runs(tag=(PARENT, names[0]))):
        return children
    found = {name: find_run(store, name) for name in names}
    missing = [name for name, row in found.items() if row is None]
    if missing:
        raise InputError([f"{name} is no run, job or tuned model in this store." for name in missing])
    rows = list({row.run_id: row for row in found.values()}.values())
    if len(rows) < 2:
        raise InputError(f"Only one run ({rows[0].run_id}) to compare; name two at least, or a loop.")
    return rows


def _ordered(keys: set[str]) -> list[str]:
    """The knobs first, the rest by name."""
    knobs = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")
    return [k for k in knobs if k in keys] + sorted(keys - set(knobs))
