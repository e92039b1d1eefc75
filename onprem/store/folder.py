"""Where everything lies inside the data folder; no other module joins these paths.

It does not read or write what lies there.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path


class FolderError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class DataFolder:
    """The server's data folder.

    Parameters
    ----------
    root : pathlib.Path
        Absolute path of the folder.
    """

    root: Path

    @classmethod
    def at(cls, path: str | Path | None = None) -> "DataFolder":
        """Open (and make, readable by its owner alone) the folder at `path`, or the user's data folder.

        Raises
        ------
        FolderError
            If it cannot be made or written to.
        """
        root = Path(path).expanduser().resolve() if path else user_data_path("onprem")
        folder = cls(root)
        try:
            for each in (folder.root, folder.files, folder.jobs, folder.models, folder.logs, folder.spool):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            why = f"the data folder {root} cannot be made ({error.strerror})"
            raise FolderError(f"{why}; choose one that you may write to with --data-dir") from None
        if not os.access(root, os.W_OK | os.X_OK):
            raise FolderError(f"the data folder {root} is read-only for you; choose another with --data-dir")
        return folder

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "onprem.db"

    @property
    def files(self) -> Path:
        """Contents of uploaded and result files, each named by its id."""
        return self.root / "files"

    @property
    def jobs(self) -> Path:
        """One folder per job, with its checkpoints."""
        return self.root / "jobs"

    @property
    def models(self) -> Path:
        """Base models that were converted or downloaded when they were added."""
        return self.root / "models"

    @property
    def logs(self) -> Path:
        """Workers' logs: no user text goes there."""
        return self.root / "logs"

    @property
    def spool(self) -> Path:
        """Uploads while they come, without a name; here since a machine's /tmp may be small, or its memory."""
        return self.root / "spool"

    @property
    def lock(self) -> Path:
        """Held by the one server that works on this folder."""
        return self.root / "server.lock"

    def file(self, file_id: str) -> Path:
        """Path of a file's content. Ids are the server's own, but a name that could leave is still refused."""
        return _inside(self.files, file_id)

    def job(self, job_id: str) -> Path:
        """Folder of a job."""
        return _inside(self.jobs, job_id)

    def model(self, name: str) -> Path:
        """Folder of a base model that was converted or downloaded."""
        return _inside(self.models, name)


def _inside(folder: Path, name: str) -> Path:
    if not name or "/" in name or "\\" in name or "\0" in name or name.startswith("."):
        raise ValueError(f"{name!r} cannot be a name inside {folder}")
    return folder / name
