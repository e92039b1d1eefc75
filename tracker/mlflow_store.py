"""One MLflow store behind a few plain methods, for reading and writing.

Every method may be carried out twice with the effect of once. Runs are addressed by id, never as "the active run".
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker import fresh
from tracker import mlflow_client as mlflow
from tracker.errors import Refused
from tracker.mlflow_client import call
from tracker.mlflow_limits import cut_tags
from tracker.mlflow_reader import MlflowReader
from tracker.runs import CHECKPOINT_MODEL, CHECKPOINT_STEP
from tracker.sqlread import SqlReader
from tracker.store import artifact_root, sqlite_path

#: MLflow's tag for the Markdown at the head of a run's page.
NOTE = "mlflow.note.content"


@dataclass
class _Seen:
    """What a run is known to have."""

    experiment_id: str
    params: set[str]
    points: set[tuple[str, int]]
    noted: bool = False
    status: str = ""


class MlflowStore(MlflowReader):
    """One MLflow store.

    Parameters
    ----------
    uri
        The tracking URI. A local SQLite file is made where it is missing, and set to write-ahead logging.
    """

    def __init__(self, uri: str):
        path = sqlite_path(uri)
        if path:
            fresh.prepare(path)
        super().__init__(uri)
        if path:
            fresh.use_wal(path)
        self._experiments: dict[str, str] = {}
        self._seen: dict[str, _Seen] = {}

    def call(self, method: str, *args: Any, **named: Any) -> Any:
        """Call a method of MLflow's client that has no plain form here; failures come as our errors."""
        return call(getattr(self.client, method), *args, **named)

    def experiment_id(self, name: str) -> str:
        """Return the id of an experiment, made where it is missing (and restored where it was deleted)."""
        if name not in self._experiments:
            found = call(self.client.get_experiment_by_name, name)
            if found is None:
                made = call(self.client.create_experiment, name, artifact_location=artifact_root(self.uri))
                self._experiments[name] = made
            else:
                if found.lifecycle_stage == "deleted":
                    call(self.client.restore_experiment, found.experiment_id)
                self._experiments[name] = found.experiment_id
        return self._experiments[name]

    def create_run(self, experiment: str, name: str, tags: dict[str, str], start_ms: int) -> str:
        """Make a run and return its id."""
        tags = {"mlflow.source.name": "tracker", **tags}
        run = call(
            self.client.create_run,
            self.experiment_id(experiment),
            start_time=start_ms,
            run_name=name,
            tags=cut_tags(tags),
        )
        self._seen[run.info.run_id] = _Seen(self._experiments[experiment], set(), set(), status="RUNNING")
        return run.info.run_id

    def log_points(self, run_id: str, points: Iterable[Sequence[Any]]) -> None:
        """Write points in one batch; those that are there stay as they are."""
        metrics = mlflow.metrics(points)
        if metrics:
            call(self.client.log_batch, run_id, metrics=metrics)
            if run_id in self._seen:
                self._seen[run_id].points |= {(metric.key, metric.step) for metric in metrics}

    def fill(self, run_id: str, points: Iterable[Sequence[Any]]) -> None:
        """Write the points whose (key, step) the run does not have: what is there stays, whoever measured it."""
        self.record(run_id, {}, {}, points)

    def record(
        self, run_id: str, params: dict[str, str], tags: dict[str, str], points: Iterable[Sequence[Any]] = ()
    ) -> None:
        """Write params that are not there yet (the first value stands), tags over those there, and fill points in.

        A note that is there stays: the advisor's tells more than ours.
        """
        seen = self._known(run_id)
        tags = {key: value for key, value in tags.items() if key != NOTE or not seen.noted}
        new_params = {key: value for key, value in params.items() if key not in seen.params}
        new_points = [point for point in points if (point[0], point[1]) not in seen.points]
        call(
            self.client.log_batch,
            run_id,
            metrics=mlflow.metrics(new_points),
            params=mlflow.params(new_params),
            tags=mlflow.tags(tags),
        )
        seen.noted |= NOTE in tags
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
            self._seen[run_id] = _Seen(
                rows[0].experiment_id, set(rows[0].params), points, NOTE in rows[0].tags
            )
        return self._seen[run_id]

    def set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        """Set tags, over those that are there."""
        if tags:
            call(self.client.log_batch, run_id, tags=mlflow.tags(tags))

    def set_status(self, run_id: str, status: str, end_ms: int | None = None) -> None:
        """Set a run's status, and its end where it has ended."""
        if end_ms is not None:
            call(self.client.set_terminated, run_id, status, end_ms)
            self._seen.pop(run_id, None)  # an ended run is not written to again: let its steps go
        elif run_id not in self._seen or self._seen[run_id].status != status:
            call(self.client.update_run, run_id, status)
            if run_id in self._seen:
                self._seen[run_id].status = status

    def log_text(self, run_id: str, path: str, text: str) -> None:
        """Write one text artifact."""
        self.log_texts(run_id, {path: text})

    def log_texts(self, run_id: str, texts: dict[str, str]) -> None:
        """Write text artifacts by file name, in one go."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, name).write_text(text, encoding="utf-8")
            call(self.client.log_artifacts, run_id, folder)

    def log_file(self, run_id: str, folder: str, path: Path) -> None:
        """Copy a file to a run's artifacts."""
        call(self.client.log_artifact, run_id, str(path), folder)

    def delete_run(self, run_id: str) -> None:
        """Delete a run: it is shown nowhere any more, and MLflow's garbage collection removes it."""
        call(self.client.delete_run, run_id)

    def log_datasets(self, run_id: str, datasets: list[dict[str, str]]) -> None:
        """Link a run to its data, by name and digest."""
        call(self.client.log_inputs, run_id, [mlflow.dataset(data) for data in datasets])

    def log_checkpoints(self, run_id: str, checkpoints: list[dict[str, Any]]) -> None:
        """Register a run's checkpoints as logged models, each once."""
        experiment = self._known(run_id).experiment_id
        known = {model.tags.get(CHECKPOINT_MODEL): model for model in self._logged_models(run_id)}
        for checkpoint in checkpoints:
            if checkpoint["model"] in known:
                if known[checkpoint["model"]].status != mlflow.READY:  # begun, and the process ended
                    call(self.client.finalize_logged_model, known[checkpoint["model"]].model_id, mlflow.READY)
                continue
            tags = {CHECKPOINT_MODEL: checkpoint["model"], CHECKPOINT_STEP: str(checkpoint["step"])}
            made = call(
                self.client.create_logged_model, experiment, f"step-{checkpoint['step']}", run_id, tags
            )
            call(self.client.finalize_logged_model, made.model_id, mlflow.READY)

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Set an experiment's tag."""
        call(self.client.set_experiment_tag, experiment_id, key, value)
