"""What a training example must look like, in each of the three forms that fine-tuning services take.

`chat` is `{"messages": [...]}`, `completion` is `{"prompt", "completion"}`, `preference` (DPO) is `{"input",
"preferred_output", "non_preferred_output"}`. Reasons name places, never contents: keys and values are user text.
"""

from __future__ import annotations

from typing import Any

KINDS = {
    "chat": ("messages",),
    "completion": ("prompt", "completion"),
    "preference": ("input", "preferred_output", "non_preferred_output"),
}
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
CALLS = ("tool_calls", "function_call")


def kind_of(row: dict[str, Any]) -> str | None:
    """The form that a row has the keys of; None where it has those of none."""
    return next((kind for kind, keys in KINDS.items() if all(key in row for key in keys)), None)


def reasons(row: dict[str, Any], kind: str) -> list[str]:
    """Everything that is wrong with a row of a kind; empty where nothing is."""
    missing = [key for key in KINDS[kind] if key not in row]
    if missing:
        return [f"has no key {', '.join(missing)}; a {kind} example has {', '.join(KINDS[kind])}"]
    return _CHECKS[kind](row)


def _chat(row: dict[str, Any]) -> list[str]:
    return _conversation(row["messages"], "messages")


def _completion(row: dict[str, Any]) -> list[str]:
    problems = (_text(row["prompt"], "prompt", may_be_empty=True), _text(row["completion"], "completion"))
    return [problem for problem in problems if problem]


def _preference(row: dict[str, Any]) -> list[str]:
    given = row["input"]
    asked = given.get("messages") if isinstance(given, dict) else None
    if not isinstance(asked, list) or not asked:
        found = ["input.messages is no list of messages, or empty"]
    else:
        found = [r for i, m in enumerate(asked) for r in _message(m, f"input.messages[{i}]")]
    for key in ("preferred_output", "non_preferred_output"):
        found += _conversation(row[key], key)
    return found


_CHECKS = {"chat": _chat, "completion": _completion, "preference": _preference}


def _conversation(messages: Any, place: str) -> list[str]:
    """A list of messages that ends with something to learn."""
    if not isinstance(messages, list) or not messages:
        return [f"{place} is no list of messages, or empty"]
    found = [r for i, message in enumerate(messages) for r in _message(message, f"{place}[{i}]")]
    if found:
        return found
    if messages[-1]["role"] != "assistant":
        return [f"{place} does not end with an assistant message: there is no answer to learn"]
    if all(m.get("weight") == 0 for m in messages if m["role"] == "assistant"):
        return [f"{place} has weight 0 on every assistant message: there is nothing to learn"]
    return []


def _message(message: Any, place: str) -> list[str]:
    if not isinstance(message, dict):
        return [f"{place} is no object with role and content"]
    role = message.get("role")
    if role not in ROLES:  # the role is not quoted: files with swapped fields hold text there
        return [f"{place}.role is missing or none of {', '.join(ROLES)}"]
    found = _weight(message, role, place)
    if any(message.get(call) for call in CALLS) and role == "assistant" and not message.get("content"):
        return found
    problem = _content(message.get("content"), f"{place}.content")
    return found + ([problem] if problem else [])


def _weight(message: dict[str, Any], role: str, place: str) -> list[str]:
    weight = message.get("weight")
    if weight is None:
        return []
    if role != "assistant":
        return [f"{place}.weight stands on a message that is not the assistant's"]
    return [] if weight in (0, 1) and not isinstance(weight, bool) else [f"{place}.weight is neither 0 nor 1"]


def _content(content: Any, place: str) -> str | None:
    """A text, or a list of parts (text and images)."""
    if not isinstance(content, list):
        return _text(content, place)
    if not content or not all(
        isinstance(part, dict) and isinstance(part.get("type"), str) for part in content
    ):
        return f"{place} is a list, but not of parts with a type"
    texts = [part.get("text") for part in content if part["type"] == "text"]
    return next((problem for text in texts if (problem := _text(text, f"{place}.text"))), None)


def _text(value: Any, place: str, may_be_empty: bool = False) -> str | None:
    if not isinstance(value, str):
        return f"{place} is no text"
    if not value.strip() and not may_be_empty:
        return f"{place} is empty"
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        return f"{place} holds half of a surrogate pair: text that no UTF-8 can carry"
    return None
