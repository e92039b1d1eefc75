"""What the tests have at hand: a file of chats, and a store's database to ask."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path


def chats(path: Path, count: int) -> Path:
    """Write a chat file of so many examples."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"question {path.stem} {n}"},
                {"role": "assistant", "content": f"answer {n}"},
            ]
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def asker(uri: str) -> Callable[..., list]:
    """What asks a store's database."""

    def ask(sql: str, *values: object) -> list:
        with sqlite3.connect(uri.removeprefix("sqlite:///")) as connection:
            return connection.execute(sql, values).fetchall()

    return ask
