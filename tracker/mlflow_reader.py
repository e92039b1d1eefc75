"""Reads runs through MLflow's client: the way for stores that are servers. Implements :class:`tracker.runs.Reader`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracker.errors import InputError, Refused
from tracker.mlflow_client import call, open_client
from tracker.runs import CHECKPOINT_MODEL, CHECKPOINT_STEP, RunRow, Series

#: Runs per page: MLflow's own limit is higher, but a page of these is about a megabyte.
PAGE = 1000


class MlflowReader:
    """Reads one MLflow store by its tracking URI."""

    def __init__(self, uri: str):
        self.uri = uri
        self.client = open_client(uri)

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
        quoted = (
            ""
            if tag is None
            else f"tags.`{tag[0]}` " + ("!= ''" if tag[1] is None else f"= {_quoted(tag[1])}")
        )
        rows: list[RunRow] = []
        token: str | None = None
        while ids:
            page = call(self.client.search_runs, ids, quoted, max_results=PAGE, page_token=token)
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
        tags = [model.tags for model in self._logged_models(run_id) if CHECKPOINT_STEP in model.tags]
        return sorted((int(tag[CHECKPOINT_STEP]), tag[CHECKPOINT_MODEL]) for tag in tags)

    def _logged_models(self, run_id: str) -> list[Any]:
        experiment = self.run(run_id).info.experiment_id
        return list(call(self.client.search_logged_models, [experiment], f"source_run_id = '{run_id}'"))

    def _series(self, run_id: str, key: str) -> list[tuple[int, float, int]]:
        history = call(self.client.get_metric_history, run_id, key)
        return sorted((metric.step, metric.value, metric.timestamp) for metric in history)

    def _row_of(self, run_id: str) -> RunRow | None:
        try:
            run = self.run(run_id)
        except Refused:
            return None
        return _row(run, self.experiment(run.info.experiment_id).name)

    def run(self, run_id: str) -> Any:
        """Return a run with its params, tags and latest metrics."""
        return call(self.client.get_run, run_id)

    def experiment(self, experiment_id: str) -> Any:
        """Return an experiment by id."""
        return call(self.client.get_experiment, experiment_id)

    def _all_experiments(self) -> dict[str, str]:
        found: dict[str, str] = {}
        token: str | None = None
        while True:
            page = call(self.client.search_experiments, page_token=token)
            found |= {experiment.experiment_id: experiment.name for experiment in page}
            token = page.token
            if not token:
                return found


def _quoted(value: str) -> str:
    """Return a value as MLflow's filters take it; they know no escapes, and no value with both kinds of quotes."""
    mark = '"' if "'" in value else "'"
    if mark in value:
        raise InputError(f"MLflow cannot search for {value!r}, which has both kinds of quotes.")
    return f"{mark}{value}{mark}"


def _row(run: Any, experiment: str) -> RunRow:
    info, data = run.info, run.data
    return RunRow(
        info.run_id, info.run_name, experiment, info.experiment_id, info.status, info.start_time, info.end_time,
        info.artifact_uri, dict(data.params), dict(data.tags),
    )  # fmt: skip
