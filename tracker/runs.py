"""Runs as rows, however the store is read: by read-only SQL where it is a local SQLite file, else through MLflow's client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tracker.store import sqlite_path

#: Series by metric: ``(step, value, timestamp in ms)``, in order of step; NaN where a value was not finite.
Series = dict[str, list[tuple[int, float, int]]]

PARENT = "mlflow.parentRunId"

#: Tags of the logged model that stands for a checkpoint.
CHECKPOINT_MODEL, CHECKPOINT_STEP = "checkpoint.model", "checkpoint.step"


@dataclass
class RunRow:
    """One run without its curves. Times are in milliseconds since 1970."""

    run_id: str
    name: str
    experiment: str
    experiment_id: str
    status: str
    start_ms: int | None
    end_ms: int | None
    artifact_uri: str = ""
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """What reads runs. Deleted runs are never shown."""

    def runs(
        self,
        *,
        experiment: str | None = None,
        run_ids: Iterable[str] | None = None,
        tag: tuple[str, str | None] | None = None,
    ) -> list[RunRow]:
        """Return runs, oldest first: of an experiment, by id, or with a tag (of any value where that is None)."""

    def curves(self, run_ids: Iterable[str]) -> dict[str, Series]:
        """Return every run's series."""

    def latest(self, run_ids: Iterable[str]) -> dict[str, dict[str, float]]:
        """Return every run's last values by metric."""

    def checkpoints(self, run_ids: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
        """Return every run's checkpoints, ``(step, model)`` in order of step."""


def reader(uri: str) -> Reader:
    """Return what reads a store: cheap where it is a local file, MLflow's own client otherwise."""
    path = sqlite_path(uri)
    if path is not None:
        from tracker.sqlread import SqlReader

        return SqlReader(path)
    from tracker.mlflow_reader import MlflowReader

    return MlflowReader(uri)
