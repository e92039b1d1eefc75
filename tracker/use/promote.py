"""Registers a tuned model in MLflow's model registry, under an alias that whoever serves it can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker.errors import InputError
from tracker.runs import Reader, RunRow, Series, reader
from tracker.use.listing import LOSS
from tracker.use.target import MODEL_TAG, find_run

if TYPE_CHECKING:
    from tracker.mlflow_store import MlflowStore


def promote(
    name: str,
    tracking_uri: str,
    *,
    registered: str | None = None,
    alias: str = "champion",
    step: int | None = None,
) -> dict[str, Any]:
    """Register the model of a run and give it an alias; a model that is registered already only gets the alias.

    Parameters
    ----------
    name
        A run, a job or a tuned model.
    registered
        The registered model's name; by default the experiment's.
    alias
        Moves to this version from whatever version has it.
    step
        The checkpoint of this step, not the final model.

    Returns
    -------
    dict
        `name`, `version`, `alias`, `model`, `run_id`.

    Raises
    ------
    InputError
        There is no such run, or it has no such model.
    """
    from tracker.mlflow_store import MlflowStore

    source = reader(tracking_uri)
    row = find_run(source, name)
    if row is None:
        raise InputError(
            f"{name} is no run, job or tuned model in {tracking_uri}; `tracker models` lists them."
        )
    model = _model(source, row, step)
    registered = registered or row.experiment
    tags = {"model": model, "base_model": row.params.get("model", ""), "job.id": row.tags.get("job.id", "")}
    tags |= _loss(source.curves([row.run_id])[row.run_id], step)
    store = MlflowStore(tracking_uri)
    version = _version(store, registered, row.run_id, row.artifact_uri, tags)
    store.call("set_registered_model_alias", registered, alias, version)
    return {"name": registered, "version": version, "alias": alias, "model": model, "run_id": row.run_id}


def _model(source: Reader, row: RunRow, step: int | None) -> str:
    """The model to register, as the provider names it."""
    checkpoints = dict(source.checkpoints([row.run_id])[row.run_id])
    model = row.tags.get(MODEL_TAG) if step is None else checkpoints.get(step)
    if not model:
        what = "no tuned model" if step is None else f"no checkpoint at step {step}"
        raise InputError(f"Run {row.run_id} has {what}; its job is {row.tags.get('job.status', row.status)}.")
    return model


def _loss(curves: Series, step: int | None) -> dict[str, str]:
    """The full validation loss at the step, or at the end."""
    losses = [value for at, value, _ in curves.get(LOSS, ()) if value == value and step in (None, at)]
    return {LOSS: f"{losses[-1]:.6g}"} if losses else {}


def _version(store: MlflowStore, name: str, run_id: str, source: str, tags: dict[str, str]) -> str:
    """The version that stands for the model, made where there is none.

    Its source is the run's artifacts, where the job's papers lie: the weights stay with the provider, under the name
    in the tag `model`.
    """
    quoted = name.replace("'", "\\'")
    if not store.call("search_registered_models", f"name = '{quoted}'"):
        store.call("create_registered_model", name)
    for version in store.call("search_model_versions", f"name = '{quoted}'"):
        if version.run_id == run_id and version.tags.get("model") == tags["model"]:
            return version.version
    return store.call(
        "create_model_version", name, source, run_id=run_id, tags=tags, await_creation_for=0
    ).version
