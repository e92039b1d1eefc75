"""A training worker in this process, on a store of its own: for what a client cannot bring about."""

import itertools
from pathlib import Path

from onprem_server import chat_rows

from onprem import registry
from onprem.resolve import resolve
from onprem.store import Database, DataFolder
from onprem.store import files as file_rows
from onprem.store import jobs as job_rows
from onprem.training.worker import Worker


class Bench:
    """A store with two files, and jobs on them."""

    def __init__(self, data_dir: Path, rows: int = 24) -> None:
        self.folder = DataFolder.at(data_dir)
        self.db = Database(self.folder.database)
        self.rows, self.numbers = rows, itertools.count()
        registry.add_embedded(self.db)
        self.model = registry.bases(self.db)[0]
        self.worker = Worker(str(data_dir), "w", lambda: False)
        for name, content in (("train", chat_rows(rows)), ("valid", chat_rows(60, 5000))):
            self.folder.file(name).write_bytes(content)
            row = {
                "id": name,
                "tenant": "t",
                "filename": name,
                "bytes": 1,
                "purpose": "fine-tune",
                "created_at": 1,
            }
            file_rows.add(
                self.db, row | {"expires_at": None, "sha256": "", "format": "chat", "n_examples": rows}
            )

    def run(self, valid: str | None = "valid", model: str | None = None, **hyperparameters) -> dict:
        """Queue a job, let the worker do it, and return its row."""
        hp = resolve(hyperparameters, "supervised", self.rows, self.model)
        row = {
            "id": f"ftjob-{next(self.numbers)}", "tenant": "t", "model": model or self.model["name"], "status": "queued",
            "created_at": 1, "training_file": "train", "validation_file": valid, "suffix": None, "seed": 1,
            "method": {"type": "supervised", "hyperparameters": {}}, "hyperparameters": hp,
        }  # fmt: skip
        job_rows.create(self.db, row)
        assert self.worker.work_once()
        return job_rows.get(self.db, None, row["id"])
