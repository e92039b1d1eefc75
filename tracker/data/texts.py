"""What a training example says: its prompt, its answer and all of its text, whatever its form.

Assumes rows that `shapes.reasons` finds nothing wrong with, and is lenient with others: what is no text counts as none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def messages_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row's messages, prompt and completion written as one user and one assistant message."""
    if "messages" in row:
        return (
            [m for m in row["messages"] if isinstance(m, dict)] if isinstance(row["messages"], list) else []
        )
    if "preferred_output" in row:
        given = row.get("input")
        asked = given.get("messages") if isinstance(given, dict) else []
        both = [*(asked or []), *(row["preferred_output"] or [])]
        return [m for m in both if isinstance(m, dict)]
    if "completion" in row:
        return [
            {"role": "user", "content": row.get("prompt")},
            {"role": "assistant", "content": row["completion"]},
        ]
    return []


def text_of(message: dict[str, Any]) -> str:
    """A message's text: its content, its text parts joined, or nothing."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(
            p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str)
        )
    return content if isinstance(content, str) else ""


def prompt_of(row: dict[str, Any]) -> str:
    """Everything before the last answer, roles and all: what the model is asked."""
    said = messages_of(row)
    return "\n".join(f"{m.get('role')}: {text_of(m)}" for m in said[: last_answer(said)])


def answer_of(row: dict[str, Any]) -> str:
    """The text of the last assistant message."""
    said = messages_of(row)
    at = last_answer(said)
    return text_of(said[at]) if at < len(said) else ""


def last_answer(messages: list[dict[str, Any]]) -> int:
    """The index of the last assistant message; the number of messages where there is none."""
    found = [i for i, message in enumerate(messages) if message.get("role") == "assistant"]
    return found[-1] if found else len(messages)


def all_texts(row: dict[str, Any]) -> Iterator[str]:
    """Every text of a row that a service counts tokens of."""
    for message in messages_of(row):
        yield text_of(message)
    for message in row.get("non_preferred_output") or []:
        if isinstance(message, dict):
            yield text_of(message)
