"""The door to MLflow: the only module that imports ``mlflow``. Turns our plain values into its entities, and its
failures into ours: final ones (``Refused``), and those after which the same call may succeed (``StoreAway``).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.errors import InputError, Refused, StoreAway
from tracker.mlflow_limits import DATASET_CHARS, DIGEST_CHARS, FINAL, cut_params, cut_tags

# MLflow would otherwise look up a telemetry host, and repeat a failed request for minutes: waiting is the spool's work.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# On a server it would print links among our answers.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelStatus, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

READY = LoggedModelStatus.READY
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")  # of an address: no error shows them


def open_client(uri: str) -> MlflowClient:
    """Return MLflow's client of a store."""
    try:
        return call(MlflowClient, tracking_uri=uri)
    except Refused:
        raise InputError(
            f"{uri!r} is no address of an MLflow store: sqlite:///PATH/mlflow.db or http(s)://HOST:PORT is expected.{_of_a_folder(uri)}"
        ) from None


def _of_a_folder(uri: str) -> str:
    """What MLflow asks for where the store is a folder of files, as it was by default once."""
    if "://" in uri and not uri.startswith("file:"):
        return ""
    return " A folder of files is taken where MLFLOW_ALLOW_FILE_STORE=true is set."


def call(function: Any, *args: Any, **named: Any) -> Any:
    """Call MLflow; say whether a failure is final or MLflow is merely away."""
    try:
        return function(*args, **named)
    except MlflowException as error:
        if error.error_code in FINAL:
            raise Refused(
                f"MLflow refuses {getattr(function, '__name__', function)}: {str(error)[:300]}"
            ) from None
        raise _away(function, error.error_code) from error
    except (TypeError, AttributeError):  # mistakes of ours, not MLflow's troubles
        raise
    except Exception as error:  # sqlalchemy, requests, boto, disk: whatever MLflow's back ends let through
        raise _away(function, type(error).__name__) from error


def _away(function: Any, why: str) -> StoreAway:
    """The error of a store that is away: with its address, as far as the call knows it, and what to do."""
    uri = getattr(getattr(function, "__self__", None), "tracking_uri", None)
    at = f" at {CREDENTIALS.sub('', uri)}" if uri else ""
    return StoreAway(
        f"MLflow{at} does not answer ({why}). Start it, or name another store: MLFLOW_TRACKING_URI=http://HOST:PORT or "
        "sqlite:///PATH/mlflow.db."
    )


def metrics(points: Iterable[Sequence[Any]]) -> list[Metric]:
    """Return points ``(key, step, value, timestamp)`` as MLflow's."""
    return [Metric(key, value, timestamp, step) for key, step, value, timestamp in points]


def params(pairs: Mapping[str, str]) -> list[Param]:
    """Return params as MLflow's, cut to its limits."""
    return [Param(key, value) for key, value in cut_params(pairs).items()]


def tags(pairs: Mapping[str, str]) -> list[RunTag]:
    """Return tags as MLflow's, cut to its limits."""
    return [RunTag(key, value) for key, value in cut_tags(pairs).items()]


def dataset(data: Mapping[str, str]) -> DatasetInput:
    """Return a dataset as MLflow's: name, digest, source, schema, and what it was used for."""
    source = json.dumps({"file": data["source"]})
    name, digest = data["name"][:DATASET_CHARS], data["digest"][:DIGEST_CHARS]
    return DatasetInput(
        Dataset(name, digest, "code", source, data.get("schema")),
        [InputTag("mlflow.data.context", data["context"])],
    )


def migrated_database(path: Path) -> None:
    """Make a database by MLflow's own migrations, without the default experiment (its artifact path is the user's)."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    engine = create_sqlalchemy_engine(f"sqlite:///{path}")
    _initialize_tables(engine)
    engine.dispose()
