"""What one row of a training file must be, for each format.

Problems name fields and positions, never values: a training file is private text.
"""

import json
from collections.abc import Iterator
from pathlib import Path

ROLES = ("system", "developer", "user", "assistant")
# A format is told by the field that only it has.
FORMATS = {"chat": "messages", "preference": "preferred_output", "completion": "prompt"}
# Which formats a job's method takes.
METHOD_FORMATS = {"supervised": ("chat", "completion"), "dpo": ("preference",)}


def format_of(row: dict) -> str | None:
    """Tell the row's format, or None."""
    return next((name for name, field in FORMATS.items() if field in row), None)


def problems_of(row: object) -> list[str]:
    """Return all that is wrong with one parsed line; an empty list where it can be trained on."""
    if not isinstance(row, dict):
        return [f"is {_kind(row)}, but a line must be a JSON object"]
    kind = format_of(row)
    if kind is None:
        return ["has none of `messages` (chat), `prompt` (completion) or `preferred_output` (preference)"]
    return {"chat": _chat, "completion": _completion, "preference": _preference}[kind](row)


def read_rows(path: Path) -> Iterator[tuple[int, dict]]:
    """Yield (line number, row) of a file that was checked already; blank lines at the end do not count."""
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            if raw.strip():
                yield number, json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))


def _chat(row: dict) -> list[str]:
    problems = _unsupported(row, ("tools", "functions", "parallel_tool_calls"))
    problems += _messages(row["messages"], "messages")
    if problems:
        return problems
    if row["messages"][-1]["role"] != "assistant":
        return ["the last of `messages` must be the assistant's, so that there is an answer to learn"]
    if not any(m["role"] == "assistant" and m.get("weight", 1) for m in row["messages"]):
        return ["no assistant message has weight 1, so that there is nothing to learn from"]
    return []


def _completion(row: dict) -> list[str]:
    problems = []
    for field in ("prompt", "completion"):
        problems += _text(row.get(field), f"`{field}`", may_be_empty=field == "prompt")
    return problems


def _preference(row: dict) -> list[str]:
    prompt = row.get("input")
    if not isinstance(prompt, dict):
        return [f"`input` is {_kind(prompt)}, but must be an object with `messages`"]
    problems = _unsupported(prompt, ("tools", "parallel_tool_calls"))
    problems += _messages(prompt.get("messages"), "input.messages")
    for field in ("preferred_output", "non_preferred_output"):
        answer = row.get(field)
        found = _messages(answer, field)
        if not found and (len(answer) != 1 or answer[0]["role"] != "assistant"):
            found = [f"`{field}` must hold exactly one assistant message"]
        problems += found
    if not problems and row["preferred_output"][0]["content"] == row["non_preferred_output"][0]["content"]:
        problems = ["`preferred_output` and `non_preferred_output` say the same, so there is no preference"]
    return problems


def _messages(messages: object, where: str) -> list[str]:
    if not isinstance(messages, list) or not messages:
        return [f"`{where}` is {_kind(messages)}, but must be a list of at least one message"]
    return [p for i, message in enumerate(messages) for p in _message(message, f"{where}[{i}]")]


def _message(message: object, where: str) -> list[str]:
    if not isinstance(message, dict):
        return [f"`{where}` is {_kind(message)}, but must be an object with `role` and `content`"]
    problems = _unsupported(message, ("tool_calls", "function_call", "refusal", "audio"), where + ".")
    role = message.get("role")
    if role not in ROLES:
        problems.append(f"`{where}.role` must be one of {', '.join(ROLES)}")
    problems += _text(message.get("content"), f"`{where}.content`", may_be_empty=role != "assistant")
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1) or role != "assistant"):
        problems.append(f"`{where}.weight` must be 0 or 1, and stand on assistant messages alone")
    return problems


def _text(value: object, where: str, may_be_empty: bool) -> list[str]:
    if not isinstance(value, str):
        return [f"{where} is {_kind(value)}, but must be a string"]
    if not value and not may_be_empty:
        return [f"{where} is empty"]
    try:
        value.encode()
    except UnicodeEncodeError:
        return [f"{where} holds half of a surrogate pair, which is no character"]
    return []


def _unsupported(row: dict, names: tuple[str, ...], where: str = "") -> list[str]:
    return [f"`{where}{name}` is not supported by this server" for name in names if row.get(name)]


def _kind(value: object) -> str:
    names = {type(None): "missing or null", bool: "a boolean", str: "a string", list: "a list"}
    names |= {int: "a number", float: "a number", dict: "an object"}
    if value == []:
        return "an empty list"
    return names[type(value)]
