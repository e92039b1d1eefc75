"""Writes advice to a run: verdicts as tags, the story as its note, the whole as artifacts. Knows nothing of advice's rules."""

from __future__ import annotations

import json
import os
from typing import Any

from tracker.errors import TrackerError
from tracker.store import found_uri, sqlite_path


def write_advice(
    run_id: str,
    advice_record: dict[str, Any],
    *,
    markdown: str | None = None,
    html: str | None = None,
    tracking_uri: str | None = None,
) -> None:
    """Write an advice record to a run.

    Parameters
    ----------
    advice_record
        ``Advice.to_record()``: its label becomes the tag ``advisor.diagnosis``, its proposal ``advisor.next``.
    markdown, html
        The run's note and the artifact ``report.html``, where given.

    Raises
    ------
    TrackerError
        Where the store is a file that cannot be written.
    """
    uri = tracking_uri or found_uri()
    path = sqlite_path(uri)
    if path and path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise TrackerError(
            f"{path} or its folder cannot be written, so the advice is not in MLflow; --dry-run leaves that out"
        )
    from tracker.mlflow_store import MlflowStore

    store = MlflowStore(uri)
    proposal = advice_record.get("proposal") or {}
    tags = {
        "advisor.diagnosis": str((advice_record.get("diagnosis") or {}).get("label") or "insufficient_data"),
        "advisor.next": "stop" if proposal.get("stop") else _settings(proposal.get("hyperparameters") or {}),
    }
    if markdown:
        tags["mlflow.note.content"] = markdown
    store.set_tags(run_id, tags)
    texts = {"advice.json": json.dumps(advice_record, indent=1, sort_keys=True)}
    store.log_texts(run_id, texts | ({"report.html": html} if html else {}))


def _settings(hyperparameters: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in hyperparameters.items()) or "-"
