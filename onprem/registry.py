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
from onprem.store.jobs import LIVE
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
    try:
        config = json.loads((folder / "config.json").read_text())
        text_config, n_params = config.get("text_config", config), sum(map(_n_params, weights))
    except (ValueError, AttributeError, KeyError, TypeError, struct.error) as error:
        text = f"its config.json or *.safetensors cannot be read ({type(error).__name__}); copy it again"
        raise ModelError(f"{folder} cannot be a model: {text}.") from None
    if "auto_map" in config or "auto_map" in text_config:
        raise ModelError(f"{folder} cannot be a model: its config.json asks for remote code (auto_map).")
    config = text_config
    return {
        "n_params": n_params,
        "hidden_size": config.get("hidden_size") or config.get("n_embd") or 0,
        "context_length": config.get("max_position_embeddings") or config.get("n_positions") or 2048,
    }


def check_name(name: str) -> None:
    """Refuse a name that URLs or the data folder cannot hold: asked before anything is fetched or written.

    Raises
    ------
    ModelError
        Naming it, and what was expected.
    """
    if not 0 < len(name) <= 64 or name.startswith(".") or set(name) & set(":/\\") or not name.isprintable():
        text = "expected 1 to 64 characters without : / and \\, the first no dot"
        raise ModelError(f"{name!r} cannot be a model's name: {text}.")


def add(db: Database, name: str, folder: Path) -> dict:
    """Register the model in `folder` under `name`; a base of that name is replaced unless live jobs need it.

    Raises
    ------
    ModelError
        If the name or the folder cannot be used.
    """
    check_name(name)
    check_unused(db, name)
    return _register(db, name, folder)


def _register(db: Database, name: str, folder: Path) -> dict:
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


def check_unused(db: Database, name: str) -> None:
    """Refuse to take away or replace a base that jobs which have not ended train: they would go on from other weights.

    Raises
    ------
    ModelError
        Naming the jobs.
    """
    jobs = [row["id"] for row in db.all(f"select id from jobs where model = ? and status in {LIVE}", name)]
    if jobs:
        more = f" and {len(jobs) - 3} more" if len(jobs) > 3 else ""
        raise ModelError(
            f"{name} is needed by {', '.join(jobs[:3])}{more}; wait for their end or cancel them"
        )


def add_embedded(db: Database) -> None:
    """Register the model that ships with the project, where it is there."""
    if (EMBEDDED / "config.json").exists():
        known = db.one("select path from models where name = ? and kind = 'base'", EMBEDDED_NAME)
        if known is None or known["path"] != str(EMBEDDED.resolve()):
            _register(db, EMBEDDED_NAME, EMBEDDED)


def bases(db: Database) -> list[dict]:
    """Return the registered base models, oldest first."""
    return db.all("select * from models where kind = 'base' order by seq")


def _n_params(weights: Path) -> int:
    """Count a file's parameters from its header: 8 bytes of length, then JSON."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(min(length, weights.stat().st_size)))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
