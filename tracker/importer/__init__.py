"""Brings histories that lie on disk into MLflow: other people's logs as proper runs that the advisor reads.

A history's identity is its content: the same file imported again changes nothing, wherever it lies by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "import"  # in place of an endpoint's host in the spool's targets
EXPERIMENT = "imported"


@dataclass
class Imported:
    """What an import did: the runs by path of their file, and the files that could not be read, with the reason."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def import_paths(
    paths: Iterable[str | Path], experiment: str = EXPERIMENT, tracking_uri: str | None = None
) -> Imported:
    """Import training histories into MLflow.

    Parameters
    ----------
    paths
        Files, runs' folders, or folders that hold runs' folders.
    experiment
        The experiment that the runs go to.
    tracking_uri
        The store, by default the one that every command uses.

    Returns
    -------
    Imported
        A run per record: its id, name, file, format and number of points.
    """
    from tracker.importer.discover import discover
    from tracker.importer.of_record import content_of
    from tracker.importer.recorder import Recorder
    from tracker.readers import ReadError, read

    done = Imported()
    with Recorder(tracking_uri) as recorder:
        whole = recorder.whole()
        for path in paths:
            try:
                files = list(discover(path))
            except OSError as error:
                done.problems.append(f"{error.filename} cannot be looked into ({error.strerror}).")
                continue
            if not files:
                done.problems.append(f"{path} {_nothing_in(Path(path))}")
            for file in files:
                try:
                    records = read(file)
                except ReadError as error:
                    done.problems.append(str(error))
                    continue
                for record, job_id in zip(records, _job_ids(records), strict=True):
                    made = content_of(record, job_id, experiment, file.stat().st_mtime)
                    if job_id not in whole:
                        recorder.put(HOST, made)
                    done.runs.append(_summary(record, made, file))
        ids = recorder.run_ids([run["job_id"] for run in done.runs])
    for run in done.runs:
        run["run_id"] = ids[run["job_id"]]
    return done


def _nothing_in(folder: Path) -> str:
    if (folder / "manifest.jsonl").exists():
        return f"is an archive; run: tracker archive import {folder}"
    return "holds no training history that a reader knows by its name; name the files themselves."


def _job_ids(records: list[dict[str, Any]]) -> list[str]:
    stem = f"import-{records[0]['source']['sha256'][:16]}" if records else ""
    return [stem] if len(records) == 1 else [f"{stem}-{i + 1}" for i in range(len(records))]


def _summary(record: dict[str, Any], made: Any, file: Path) -> dict[str, Any]:
    return {
        "job_id": made.job_id,
        "name": made.name,
        "file": str(file),
        "format": record["source"]["format"],
        "points": len(made.points),
    }
