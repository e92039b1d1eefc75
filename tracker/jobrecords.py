"""MLflow runs as job records, the JSON that the advisor and everybody else read."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tracker.errors import InputError
from tracker.jobs import LOST
from tracker.points import BASE
from tracker.runs import PARENT, Reader, RunRow, Series, reader
from tracker.scrub import masked, scrub
from tracker.store import found_uri, mlflows_own, sqlite_path

SERIES = (
    "train_loss",
    "valid_loss",
    "full_valid_loss",
    "train_mean_token_accuracy",
    "valid_mean_token_accuracy",
    "full_valid_mean_token_accuracy",
)

_KNOBS = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate")
_COUNTS = ("n_train_examples", "n_valid_examples", "seed", "steps_per_epoch")

#: Scores of a tuned model on a held-out file; those of its base model begin with ``eval.base.``.
_EVAL, _EVAL_BASE = "eval.", "eval.base."
_NAME = "mlflow.runName"
_MOST = 5  # experiments that are named
SHORT = 8  # characters of a run's id beside its name, as MLflow's own pages have them
_SHOWN = re.compile(rf"(?P<name>.+) \((?P<id>[0-9a-f]{{{SHORT}}})\)", re.DOTALL)
_STATUS = {"FINISHED": "succeeded", "FAILED": "failed", "KILLED": "cancelled", "SCHEDULED": "queued"}

#: A lost job's curve is cut off like a cancelled one's; readers of records know no third way to end early.
_SAID = {LOST: "cancelled"}


def records(
    experiment: str | None = None,
    run_id: str | None = None,
    tracking_uri: str | None = None,
    tell: Callable[[str], object] | None = None,
) -> list[dict[str, Any]]:
    """Return job records from MLflow, oldest first.

    Parameters
    ----------
    experiment
        All jobs of an experiment by its name.
    run_id
        A parent run means all its children; a child its loop up to it; a lone run itself. A job's id at the provider
        stands for its run, the name of an experiment for all its jobs, and a run's name, also as its record has it,
        "NAME (first letters of its id)", for the runs of that name.
    tell
        Is given a word on runs whose validation loss is a mean over several sets, or whose settings are not clear.

    Raises
    ------
    InputError
        Where neither or both are given, there is nothing under the name, or runs of several experiments have it.
    """
    if (experiment is None) == (run_id is None):
        raise InputError("Give either an experiment's name or a run's id.")
    store = reader(tracking_uri or found_uri())
    if run_id is not None:
        rows = _of_run(store, run_id) or store.runs(experiment=run_id) or _by_name(store, run_id)
    else:
        rows = store.runs(experiment=experiment)
    if not rows:
        raise InputError(_nothing(tracking_uri or found_uri(), str(experiment or run_id)))
    parents = {row.tags[PARENT] for row in rows if PARENT in row.tags}
    rows = [
        row for row in rows if row.run_id not in parents and row.tags.get("finetune_advisor.kind") != "loop"
    ]
    ids = [row.run_id for row in rows]
    curves, checkpoints = store.curves(ids), store.checkpoints(ids)
    found = [record(row, curves[row.run_id]) for row in rows]
    for row, made in zip(rows, found, strict=True):
        if checkpoints[row.run_id]:
            made["checkpoints"] = [{"step": step, "model": model} for step, model in checkpoints[row.run_id]]
    theirs = {row.run_id for row in rows if not _is_ours(row)}
    found = _trainings(found, theirs, tell or (lambda told: None))
    if tell:
        _remark(found, tell)
    return found


def _trainings(
    found: list[dict[str, Any]], theirs: set[str], tell: Callable[[str], object]
) -> list[dict[str, Any]]:
    """Without ended runs of other loggers that have no curve, as evaluations have none: no job, where others are.

    A provider's job that reported no curve is a job all the same: its setting was tried.
    """

    def is_job(record: dict[str, Any]) -> bool:
        ended = record["run_id"] in theirs and record.get("status") == "succeeded"
        return not ended or any(record.get(name) for name in SERIES)

    kept = [r for r in found if is_job(r)]
    if not kept or len(kept) == len(found):
        return found
    left = [r["id"] for r in found if not is_job(r)]
    more = f" and {len(left) - _MOST} more" if len(left) > _MOST else ""
    tell(f"left out, since they logged no loss of a training: {masked(', '.join(left[:_MOST]))}{more}")
    return kept


def _remark(found: list[dict[str, Any]], tell: Callable[[str], object]) -> None:
    """What is told of each run, once where it is the same of many."""
    from tracker.readers import remarks

    for remark, times in Counter(told for record in found for told in remarks(record)).items():
        tell(f"{times} of {len(found)} runs: {remark}" if times > 1 else remark)


def _nothing(uri: str, asked: str) -> str:
    file = sqlite_path(uri)
    if file and not file.exists():
        return f"There is no store {file}; to read another, set MLFLOW_TRACKING_URI, as sqlite:////path/to/mlflow.db."
    return (
        f"The store {uri if file else scrub(uri)} has no runs of {asked!r}; expected the name of an experiment or a whole run id, as "
        f"`tracker ui` shows them. To read another store, set MLFLOW_TRACKING_URI{_other_store(file)}."
    )


def _other_store(read: Path | None) -> str:
    """MLflow's own default, where it is there too and was not read."""
    theirs = mlflows_own()
    return f"=sqlite:///{theirs}, which is there too" if theirs.is_file() and read != theirs else ""


def _of_run(store: Reader, run_id: str) -> list[RunRow]:
    own = store.runs(run_ids=[run_id]) or store.runs(tag=("job.id", run_id))
    if not own:
        return []
    run_id = own[-1].run_id
    children = store.runs(tag=(PARENT, run_id))
    if children:
        return children
    parent = own[0].tags.get(PARENT)
    if parent is None:
        return own
    family = store.runs(tag=(PARENT, parent))
    return family[: next(at for at, row in enumerate(family) if row.run_id == run_id) + 1]


def _by_name(store: Reader, name: str) -> list[RunRow]:
    """Runs of a name, which are one history where they are of one experiment; a lone one as its record shows it."""
    shown = _SHOWN.fullmatch(name)
    if shown:
        rows = store.runs(tag=(_NAME, shown["name"]))
        found = [row.run_id for row in rows if row.run_id.startswith(shown["id"])]
        if len(found) == 1:
            return _of_run(store, found[0])
    rows = store.runs(tag=(_NAME, name))
    experiments = list(dict.fromkeys(row.experiment for row in rows))
    if len(experiments) > 1:
        told = ", ".join(map(repr, experiments[:_MOST])) + (" ..." if len(experiments) > _MOST else "")
        raise InputError(
            f"{len(experiments)} experiments have runs called {name!r}: {masked(told)}. Ask for one experiment by its "
            f"name, or for one run by its id, as {rows[-1].run_id}."
        )
    return rows


def record(row: RunRow, curves: Series) -> dict[str, Any]:
    """Return one run as a job record; runs of other loggers are read by their own names."""
    if not _is_ours(row):
        return _foreign(row, curves)
    tags, params = row.tags, row.params
    found: dict[str, Any] = {
        "id": tags.get("job.id") or row.run_id,
        "run_id": row.run_id,
        "key": tags.get("finetune_advisor.job"),
        "experiment": row.experiment,
        "endpoint": tags.get("job.endpoint"),
        "status": _SAID.get(tags.get("job.status"), tags.get("job.status"))
        or _STATUS.get(row.status, "running"),
        "created_at": row.start_ms / 1000 if row.start_ms is not None else None,
        "provider": params.get("provider"),
        "model": params.get("model"),
        "method": params.get("method"),
        "lr_schedule": params.get("lr_schedule"),
        "hyperparameters": {knob: number(params[knob]) for knob in _KNOBS if knob in params}
        or _requested(params),
        "fine_tuned_model": tags.get("fine_tuned_model"),
        "total_steps": number(tags.get("job.total_steps")),
        "error": tags.get("job.error"),
    }
    found |= {name: number(params.get(name)) for name in _COUNTS}
    for side in ("train", "valid"):
        if f"{side}_sha256" in params:
            found[f"{side}_file"] = {"path": params.get(f"{side}_file"), "sha256": params[f"{side}_sha256"]}
    found |= {name: _last(curves, name) for name in ("trained_tokens", "cost_usd", BASE)}
    found |= {
        name: [[step, _value(value)] for step, value, _ in curves[name]] for name in SERIES if name in curves
    }
    if "job.validation_examples" in tags and row.artifact_uri.startswith("file:"):
        found["validation_examples"] = {
            "path": f"{_local(row.artifact_uri)}/{tags['job.validation_examples']}"
        }
    found["metrics"] = _scores(curves) or None
    return {key: value for key, value in found.items() if value is not None}


def _local(artifact_uri: str) -> str:
    """Return the folder behind a ``file:`` address."""
    return unquote(urlsplit(artifact_uri).path)


def _scores(curves: Series) -> dict[str, float]:
    """Return the tuned model's latest scores by metric."""
    keys = [key for key in curves if key.startswith(_EVAL) and not key.startswith(_EVAL_BASE)]
    return {key.removeprefix(_EVAL): curves[key][-1][1] for key in keys}


def _requested(params: dict[str, str]) -> dict[str, Any]:
    """Return what was asked for, while the provider has not resolved it."""
    asked = {knob: params.get(f"requested.{knob}") for knob in _KNOBS}
    return {knob: number(value) for knob, value in asked.items() if value is not None}


def _is_ours(row: RunRow) -> bool:
    return "job.id" in row.tags or "finetune_advisor.job" in row.tags


def _foreign(row: RunRow, curves: Series) -> dict[str, Any]:
    from tracker.readers.mlflow_keys import record_of_run

    series = {key: [[step, value] for step, value, _ in points] for key, points in curves.items()}
    created = row.start_ms / 1000 if row.start_ms is not None else None
    status = _STATUS.get(row.status, "running")
    name = f"{row.name} ({row.run_id[:SHORT]})" if row.name else row.run_id
    return record_of_run(name, series, row.params, run_id=row.run_id, created_at=created, status=status)


def _last(curves: Series, name: str) -> float | None:
    return curves[name][-1][1] if curves.get(name) else None


def _value(value: float) -> float | str:
    """Return a value that strict JSON can hold."""
    return value if math.isfinite(value) else "NaN"


def number(text: str | None) -> Any:
    """Return a number where the text is one, whole where it is whole; else the text (such as "auto")."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
