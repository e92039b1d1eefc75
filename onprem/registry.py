"""Base models: what a folder must hold, what is read from it without torch, and the list of those registered.

Only folders of safetensors with a fast tokenizer; a folder that brings Python files is refused, since its code
would never run here.
"""

import json
import math
import struct
from pathlib import Path

from onprem.store import Database
from onprem.store import models as model_rows
from onprem.store.models import EVERYONE

EMBEDDED = Path(__file__).parent / "embedded"
EMBEDDED_NAME = "embedded-tiny"


class ModelError(ValueError):
    """A folder cannot be used as a model; the message says all that is wrong."""


def describe(folder: Path) -> dict:
    """Read a model folder's facts.

    Returns
    -------
    dict
        `n_params` (tied weights once), `hidden_size` and `context_length`.

    Raises
    ------
    ModelError
        With everything that is missing.
    """
    weights = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    problems = []
    if not folder.is_dir():
        problems.append("it is no folder")
    elif not weights:
        problems.append(
            "it holds no *.safetensors (other formats can run code when loaded; convert it first)"
        )
    problems += [
        f"it holds no {name}" for name in ("config.json", "tokenizer.json") if not (folder / name).exists()
    ]
    if any(folder.glob("*.py")):
        problems.append("it brings Python code, which this server never runs")
    if problems:
        raise ModelError(f"{folder} cannot be a model: {'; '.join(problems)}.")
    config = json.loads((folder / "config.json").read_text())
    config = config.get("text_config", config)
    if "auto_map" in config:
        raise ModelError(f"{folder} cannot be a model: its config.json asks for remote code (auto_map).")
    return {
        "n_params": sum(map(_n_params, weights)),
        "hidden_size": config.get("hidden_size") or config.get("n_embd") or 0,
        "context_length": config.get("max_position_embeddings") or config.get("n_positions") or 2048,
    }


def add(db: Database, name: str, folder: Path) -> dict:
    """Register the model in `folder` under `name`; a base of that name is replaced."""
    if not name or ":" in name or "/" in name or len(name) > 64 or not name.isprintable():
        raise ModelError(f"{name!r} cannot be a model's name: expected 1 to 64 characters without : and /.")
    row = {
        "name": name,
        "tenant": EVERYONE,
        "kind": "base",
        "path": str(folder.resolve()),
        **describe(folder),
    }
    with db.transaction() as connection:
        connection.execute("delete from models where name = ? and kind = 'base'", (name,))
        model_rows.add(connection, row)
    return row


def add_embedded(db: Database) -> None:
    """Register the model that ships with the project, where it is there."""
    if (EMBEDDED / "config.json").exists():
        known = db.one("select path from models where name = ? and kind = 'base'", EMBEDDED_NAME)
        if known is None or known["path"] != str(EMBEDDED):
            add(db, EMBEDDED_NAME, EMBEDDED)


def bases(db: Database) -> list[dict]:
    """Return the registered base models, oldest first."""
    return db.all("select * from models where kind = 'base' order by seq")


def _n_params(weights: Path) -> int:
    """Count a file's parameters from its header: 8 bytes of length, then JSON."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
