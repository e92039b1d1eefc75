"""Where the MLflow store, its artifacts and the spool lie. Paths and the environment only; imports no mlflow."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

FOLDER = "mlruns"


def home(start: Path | None = None) -> Path:
    """Return the ``mlruns`` folder: the one in the nearest parent that has it, else in the working directory."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return here / FOLDER


def store_uri() -> str:
    """Return the MLflow tracking URI to write to: ``MLFLOW_TRACKING_URI`` (also from ``.env``), else SQLite in :func:`home`."""
    from tracker.settings import load_env  # for every command alike: two of them must not look in two stores

    load_env()
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home() / 'mlflow.db'}"


def found_uri() -> str:
    """Return the tracking URI of runs that are there: :func:`store_uri`, or MLflow's own default where that is none.

    MLflow's is ``mlflow.db`` in the working directory. Jobs of ours are never begun in it.
    """
    ours, theirs = store_uri(), mlflows_own()
    path = None if os.environ.get("MLFLOW_TRACKING_URI") else sqlite_path(ours)
    return f"sqlite:///{theirs}" if path and theirs.is_file() and not path.exists() else ours


def mlflows_own() -> Path:
    """Return where MLflow keeps runs that nobody gave a store."""
    return Path.cwd().resolve() / "mlflow.db"


def sqlite_path(uri: str) -> Path | None:
    """Return the file behind a ``sqlite:///`` URI, None for any other store."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(unquote(uri.removeprefix("sqlite:///").split("?")[0]))


def artifact_root(uri: str) -> str | None:
    """Return where new experiments keep artifacts: beside a local store, else None (the server decides)."""
    path = sqlite_path(uri)
    return (path.resolve().parent / "artifacts").as_uri() if path else None


def spool_path(uri: str) -> Path:
    """Return the spool's file: beside a local store, else in :func:`home`."""
    path = sqlite_path(uri)
    return (path.resolve().parent if path else home()) / "spool.db"
