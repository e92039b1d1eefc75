"""The files that a succeeded job leaves: OpenAI's result CSV, and each validation example's loss."""

import csv
import hashlib
import io
import json
import os
import time

from onprem import ids
from onprem.store.database import Database
from onprem.store.events import metrics
from onprem.store.files import add
from onprem.store.folder import DataFolder
from onprem.training.evaluate import Score

# OpenAI's columns, and the names that its events give the same figures.
COLUMNS = {
    "step": "step", "train_loss": "train_loss", "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss", "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}  # fmt: skip


def result_csv(steps: list[dict]) -> str:
    """Write one line per step from 1 on; what was not measured stays blank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for data in steps:
        if data["step"] > 0:
            values = [data.get(name) for name in COLUMNS.values()]
            writer.writerow(["" if v is None else v for v in values])
    return out.getvalue()


def validation_examples(examples: list, scores: list[Score]) -> str:
    """Write one line per validation row: its line number, loss, accuracy and tokens, and none of its text."""
    rows = (
        {"line": e.line, "loss": s.loss if s.tokens else None, "accuracy": s.accuracy if s.tokens else None}
        | {"trained_tokens": s.tokens, "tokens": e.n_tokens}
        for e, s in zip(examples, scores, strict=True)
    )  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def leave(db: Database, folder: DataFolder, job: dict, name: str, content: str) -> str:
    """Store a result file under an id that the same job and name always give. Returns the id."""
    file_id = ids.derived("file", job["id"], name)
    path, data = folder.file(file_id), content.encode()
    partial = path.with_suffix(".part")
    with partial.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(path)
    row = {
        "id": file_id, "tenant": job["tenant"], "filename": name, "bytes": len(data),
        "purpose": "fine-tune-results", "created_at": int(time.time()), "expires_at": None,
        "sha256": hashlib.sha256(data).hexdigest(), "format": None, "n_examples": None,
    }  # fmt: skip
    add(db, row)
    return file_id


def leave_all(db: Database, folder: DataFolder, job: dict, valid: list, scores: list[Score]) -> list[str]:
    """Store all result files of a job; the CSV is the first, as clients expect."""
    files = {"step_metrics.csv": result_csv(metrics(db, job["id"]))}
    if valid:
        files["validation_examples.jsonl"] = validation_examples(valid, scores)
    return [leave(db, folder, job, name, content) for name, content in files.items()]
