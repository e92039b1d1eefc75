"""MLflow behind a few plain methods: the only module that imports ``mlflow``.

Every method may be carried out twice with the effect of once. Runs are addressed by id, never as "the active run".
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker import fresh
from tracker.errors import StoreAway, TrackerError
from tracker.points import Point
from tracker.runs import CHECKPOINT_MODEL, CHECKPOINT_STEP, RunRow, Series
from tracker.sqlread import SqlReader
from tracker.store import artifact_root, sqlite_path

# MLflow would otherwise look up a telemetry host, and repeat a failed request for minutes: waiting is the spool's work.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunTag,
    ViewType,
)
from mlflow.exceptions import MlflowException

#: What MLflow will never take, however often it is offered.
FINAL = (
    "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "BAD_REQUEST",
    "INVALID_STATE",
)

#: MLflow's own limits, in characters: longer texts would be cut silently or refused.
PARAM_CHARS, TAG_CHARS = 6000, 8000


class Refused(TrackerError):
    """MLflow will never take this."""


@dataclass
class _Seen:
    """What a run is known to have."""

    experiment_id: str
    params: set[str]
    points: set[tuple[str, int]]


class MlflowStore:
    """One MLflow store.

    Parameters
    ----------
    uri
        The tracking URI. A local SQLite file is made where it is missing, and set to write-ahead logging.
    """

    def __init__(self, uri: str):
        self.uri = uri
        path = sqlite_path(uri)
        if path:
            fresh.prepare(path)
        self.client = _guarded(MlflowClient, tracking_uri=uri)
        if path:
            fresh.use_wal(path)
        self._experiments: dict[str, str] = {}
        self._seen: dict[str, _Seen] = {}

    def call(self, method: str, *args: Any, **named: Any) -> Any:
        """Call a method of MLflow's client that has no plain form here; failures come as our errors."""
        return _guarded(getattr(self.client, method), *args, **named)

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment, made where it is missing (and restored where it was deleted)."""
        if name not in self._experiments:
            found = _guarded(self.client.get_experiment_by_name, name)
            if found is None:
                made = _guarded(
                    self.client.create_experiment, name, artifact_location=artifact_root(self.uri)
                )
                self._experiments[name] = made
            else:
                if found.lifecycle_stage == "deleted":
                    _guarded(self.client.restore_experiment, found.experiment_id)
                self._experiments[name] = found.experiment_id
        return self._experiments[name]

    def create_run(self, experiment: str, name: str, tags: dict[str, str], start_ms: int) -> str:
        """Make a run and return its id."""
        tags = {"mlflow.source.name": "tracker", **tags}
        run = _guarded(
            self.client.create_run,
            self.experiment_id(experiment),
            start_time=start_ms,
            run_name=name,
            tags=_cut(tags),
        )
        self._seen[run.info.run_id] = _Seen(self._experiments[experiment], set(), set())
        return run.info.run_id

    def runs(
        self,
        *,
        experiment: str | None = None,
        run_ids: Iterable[str] | None = None,
        tag: tuple[str, str | None] | None = None,
    ) -> list[RunRow]:
        """Return runs, oldest first; see :class:`tracker.runs.Reader`."""
        if run_ids is not None:
            return [row for run_id in run_ids if (row := self._row_of(run_id)) is not None]
        names = self._all_experiments()
        ids = [found for found, name in names.items() if experiment in (None, name)]
        quoted = "" if tag is None else f"tags.`{tag[0]}` " + ("!= ''" if tag[1] is None else f"= '{tag[1]}'")
        rows: list[RunRow] = []
        token: str | None = None
        while ids:
            page = _guarded(self.client.search_runs, ids, quoted, ViewType.ACTIVE_ONLY, 1000, None, token)
            rows += [_row(run, names.get(run.info.experiment_id, "")) for run in page]
            token = page.token
            if not token:
                break
        return sorted(rows, key=lambda row: (row.start_ms or 0, row.run_id))

    def curves(self, run_ids: Iterable[str]) -> dict[str, Series]:
        """Return every run's series; see :class:`tracker.runs.Reader`."""
        return {
            run_id: {key: self._series(run_id, key) for key in self.run(run_id).data.metrics}
            for run_id in run_ids
        }

    def latest(self, run_ids: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return every run's last values; see :class:`tracker.runs.Reader`."""
        return {run_id: dict(self.run(run_id).data.metrics) for run_id in run_ids}

    def checkpoints(self, run_ids: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
        """Return every run's checkpoints; see :class:`tracker.runs.Reader`."""
        return {run_id: self._checkpoints_of(run_id) for run_id in run_ids}

    def _checkpoints_of(self, run_id: str) -> list[tuple[int, str]]:
        experiment = self.run(run_id).info.experiment_id
        models = _guarded(self.client.search_logged_models, [experiment], f"source_run_id = '{run_id}'")
        tags = [model.tags for model in models if CHECKPOINT_STEP in model.tags]
        return sorted((int(tag[CHECKPOINT_STEP]), tag[CHECKPOINT_MODEL]) for tag in tags)

    def _series(self, run_id: str, key: str) -> list[tuple[int, float, int]]:
        history = _guarded(self.client.get_metric_history, run_id, key)
        return sorted((metric.step, metric.value, metric.timestamp) for metric in history)

    def _row_of(self, run_id: str) -> RunRow | None:
        try:
            run = self.run(run_id)
        except Refused:
            return None
        return _row(run, self.experiment(run.info.experiment_id).name)

    def run(self, run_id: str) -> Run:
        """Return a run with its params, tags and latest metrics."""
        return _guarded(self.client.get_run, run_id)

    def experiment(self, experiment_id: str) -> Any:
        """Return an experiment by id."""
        return _guarded(self.client.get_experiment, experiment_id)

    def log_points(self, run_id: str, points: Iterable[Point | Sequence[Any]]) -> None:
        """Write points in one batch; those that are there stay as they are."""
        metrics = [Metric(key, value, timestamp, step) for key, step, value, timestamp in points]
        if metrics:
            _guarded(self.client.log_batch, run_id, metrics=metrics)
            if run_id in self._seen:
                self._seen[run_id].points |= {(metric.key, metric.step) for metric in metrics}

    def fill(self, run_id: str, points: Iterable[Sequence[Any]]) -> None:
        """Write the points whose (key, step) the run does not have: what is there stays, whoever measured it."""
        self.record(run_id, {}, {}, points)

    def record(
        self, run_id: str, params: dict[str, str], tags: dict[str, str], points: Iterable[Sequence[Any]] = ()
    ) -> None:
        """Write params that are not there yet (the first value stands), tags over those there, and fill points in."""
        seen = self._known(run_id)
        new_params = {key: value for key, value in params.items() if key not in seen.params}
        new_points = [point for point in points if (point[0], point[1]) not in seen.points]
        _guarded(
            self.client.log_batch,
            run_id,
            metrics=[Metric(key, value, timestamp, step) for key, step, value, timestamp in new_points],
            params=[Param(_name(key), str(value)[:PARAM_CHARS]) for key, value in new_params.items()],
            tags=[RunTag(key, value) for key, value in _cut(tags).items()],
        )
        seen.params |= set(new_params)
        seen.points |= {(point[0], point[1]) for point in new_points}

    def log_params(self, run_id: str, params: dict[str, str]) -> None:
        """Write params that are not there yet: the first value stands."""
        self.record(run_id, params, {})

    def _known(self, run_id: str) -> _Seen:
        """Return what a run has; asked for once, since the writer is the only one who fills."""
        if run_id not in self._seen:
            path = sqlite_path(self.uri)
            read: Any = SqlReader(path) if path else self
            rows = read.runs(run_ids=[run_id])
            if not rows:
                raise Refused(f"Run {run_id} is not in MLflow any more.")
            series = read.curves([run_id])[run_id]
            points = {(key, step) for key, found in series.items() for step, _, _ in found}
            self._seen[run_id] = _Seen(rows[0].experiment_id, set(rows[0].params), points)
        return self._seen[run_id]

    def set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        """Set tags, over those that are there."""
        if tags:
            _guarded(
                self.client.log_batch, run_id, tags=[RunTag(key, value) for key, value in _cut(tags).items()]
            )

    def set_status(self, run_id: str, status: str, end_ms: int | None = None) -> None:
        """Set a run's status, and its end where it has ended."""
        if end_ms is not None:
            _guarded(self.client.set_terminated, run_id, status, end_ms)
            self._seen.pop(run_id, None)  # an ended run is not written to again: let its steps go
        else:
            _guarded(self.client.update_run, run_id, status)

    def log_text(self, run_id: str, path: str, text: str) -> None:
        """Write one text artifact."""
        self.log_texts(run_id, {path: text})

    def log_texts(self, run_id: str, texts: dict[str, str]) -> None:
        """Write text artifacts by file name, in one go."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, name).write_text(text, encoding="utf-8")
            _guarded(self.client.log_artifacts, run_id, folder)

    def log_datasets(self, run_id: str, datasets: list[dict[str, str]]) -> None:
        """Link a run to its data, by name and digest."""
        inputs = []
        for data in datasets:
            schema = data.get("schema")
            entity = Dataset(
                data["name"][:500], data["digest"][:36], "code", f'{{"file": "{data["source"]}"}}', schema
            )
            inputs.append(DatasetInput(entity, [InputTag("mlflow.data.context", data["context"])]))
        _guarded(self.client.log_inputs, run_id, inputs)

    def log_checkpoints(self, run_id: str, checkpoints: list[dict[str, Any]]) -> None:
        """Register a run's checkpoints as logged models, each once."""
        experiment = self._known(run_id).experiment_id
        known = {model for _, model in self._checkpoints_of(run_id)}
        for checkpoint in checkpoints:
            if checkpoint["model"] in known:
                continue
            tags = {CHECKPOINT_MODEL: checkpoint["model"], CHECKPOINT_STEP: str(checkpoint["step"])}
            made = _guarded(
                self.client.create_logged_model, experiment, f"step-{checkpoint['step']}", run_id, tags
            )
            _guarded(self.client.finalize_logged_model, made.model_id, LoggedModelStatus.READY)

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Set an experiment's tag."""
        _guarded(self.client.set_experiment_tag, experiment_id, key, value)

    def _all_experiments(self) -> dict[str, str]:
        found: dict[str, str] = {}
        token: str | None = None
        while True:
            page = _guarded(self.client.search_experiments, page_token=token)
            found |= {experiment.experiment_id: experiment.name for experiment in page}
            token = page.token
            if not token:
                return found


def _row(run: Run, experiment: str) -> RunRow:
    info, data = run.info, run.data
    return RunRow(
        info.run_id, info.run_name, experiment, info.experiment_id, info.status, info.start_time, info.end_time,
        info.artifact_uri, dict(data.params), dict(data.tags),
    )  # fmt: skip


def _guarded(call: Any, *args: Any, **named: Any) -> Any:
    """Call MLflow; say whether a failure is final or MLflow is merely away."""
    try:
        return call(*args, **named)
    except MlflowException as error:
        if error.error_code in FINAL:
            raise Refused(f"MLflow refuses {getattr(call, '__name__', call)}: {str(error)[:300]}") from None
        raise StoreAway(f"MLflow does not answer ({error.error_code}).") from error
    except (KeyboardInterrupt, SystemExit, TypeError, AttributeError):
        raise
    except Exception as error:  # sqlalchemy, requests, boto, disk: whatever MLflow's back ends let through
        raise StoreAway(f"MLflow does not answer ({type(error).__name__}).") from error


def _cut(tags: dict[str, str]) -> dict[str, str]:
    return {_name(key): str(value)[:TAG_CHARS] for key, value in tags.items()}


def _name(key: str) -> str:
    """Return a key as MLflow allows it: alphanumerics, ``_ - . space : /``, at most 250 characters."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in key)[:250]


def migrated_database(path: Any) -> None:
    """Make a database by MLflow's own migrations, without the default experiment (its artifact path is the user's)."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    engine = create_sqlalchemy_engine(f"sqlite:///{path}")
    _initialize_tables(engine)
    engine.dispose()
