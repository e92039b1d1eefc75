"""The tuned models that MLflow knows of, and their checkpoints, each with its best loss. Reads MLflow alone."""

from __future__ import annotations

from typing import Any

from tracker.runs import RunRow, Series, reader
from tracker.use.target import MODEL_TAG

LOSS = "full_valid_loss"


def list_models(tracking_uri: str, experiment: str | None = None) -> list[dict[str, Any]]:
    """Tuned models and checkpoints, best loss first; those without a loss last.

    Returns
    -------
    list of dict
        `model`, `kind` (model or checkpoint), `step`, `loss` (full validation loss there), `base`, `run_id`, `job`,
        `experiment` and `settings`.
    """
    source = reader(tracking_uri)
    rows = {row.run_id: row for row in source.runs(experiment=experiment, tag=("job.id", None))}
    curves = source.curves(rows)
    found = [
        _entry(row, curves[row.run_id], row.tags[MODEL_TAG])
        for row in rows.values()
        if row.tags.get(MODEL_TAG)
    ]
    for run_id, checkpoints in source.checkpoints(rows).items():
        final = rows[run_id].tags.get(MODEL_TAG)
        found += [
            _entry(rows[run_id], curves[run_id], model, step) for step, model in checkpoints if model != final
        ]
    return sorted(found, key=lambda e: (e["loss"] is None, e["loss"], e["experiment"], e["model"]))


def _entry(row: RunRow, curves: Series, model: str, step: int | None = None) -> dict[str, Any]:
    """One model: the tuned model itself has its last loss, a checkpoint that of its step."""
    losses = {s: v for s, v, _ in curves.get(LOSS, ()) if v == v}
    at = step if step is not None else max(losses, default=None)
    return {
        "model": model,
        "kind": "model" if step is None else "checkpoint",
        "step": at,
        "loss": losses.get(at),
        "base": row.params.get("model"),
        "run_id": row.run_id,
        "job": row.tags.get("job.id"),
        "experiment": row.experiment,
        "settings": {k: row.params[k] for k in _KNOBS if k in row.params},
    }


_KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")
