"""Other people's training examples as chat: one small function per form, and a lookup that finds a row's form.

Each function gives the messages or raises `Unlike` with a reason that names places and never contents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Message = dict[str, str]
SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
}
# Column names that CSV files and question-and-answer sets use, the likeliest first.
ASKED = ("prompt", "instruction", "question", "input", "user", "query")
ANSWERED = ("completion", "output", "answer", "response", "assistant", "target")
HH_TURN = re.compile(r"\n\n(Human|Assistant):")


class Unlike(ValueError):
    """A row that has a form's keys but not its values; the reason is fit to print."""


def chat(row: Mapping[str, Any]) -> list[Message]:
    """Chat already: `{"messages": [...]}`."""
    return row["messages"]


def sharegpt(row: Mapping[str, Any]) -> list[Message]:
    """ShareGPT: `{"conversations": [{"from": "human", "value": ...}]}`, or with role and content."""
    turns = row.get("conversations") or row.get("conversation")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Unlike("conversations is no list of turns")
    said = [] if not row.get("system") else [_message("system", row["system"], "system")]
    for i, turn in enumerate(turns):
        who = turn.get("from", turn.get("role"))
        role = SHAREGPT_ROLES.get(who.lower()) if isinstance(who, str) else None
        if role is None:
            raise Unlike(f"conversations[{i}].from is none of {', '.join(SHAREGPT_ROLES)}")
        said.append(_message(role, turn.get("value", turn.get("content")), f"conversations[{i}].value"))
    return said


def alpaca(row: Mapping[str, Any]) -> list[Message]:
    """Alpaca: instruction, optional input, output; also LLaMA-Factory's system and history of pairs."""
    asked = row["instruction"]
    if isinstance(row.get("input"), str) and row["input"].strip():
        asked = f"{asked}\n\n{row['input']}" if isinstance(asked, str) else asked
    said = [_message("system", row["system"], "system")] if row.get("system") else []
    for i, pair in enumerate(row.get("history") or []):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Unlike(f"history[{i}] is no pair of question and answer")
        said += [_message("user", pair[0], f"history[{i}]"), _message("assistant", pair[1], f"history[{i}]")]
    return [*said, _message("user", asked, "instruction"), _message("assistant", row["output"], "output")]


def hh(row: Mapping[str, Any]) -> list[Message]:
    """Anthropic's HH rows (also Anthropic_HH_Golden): the chosen dialogue, turns marked Human and Assistant.

    Some copies keep the dialogue before the last answer apart, as `prompt`; others have messages in place of the text.
    """
    text, asked = row["chosen"], row.get("prompt")
    if isinstance(text, list):
        return text
    if not isinstance(text, str):
        raise Unlike("chosen is no text")
    if isinstance(asked, str) and not HH_TURN.match("\n\n" + text.lstrip("\n")):
        text = f"{asked.rstrip()} {text.lstrip()}"
    before, *parts = HH_TURN.split("\n\n" + text.lstrip("\n"))
    if before.strip() or not parts:
        raise Unlike("chosen does not start with 'Human:' or 'Assistant:'")
    roles = {"Human": "user", "Assistant": "assistant"}
    turns = zip(parts[::2], parts[1::2], strict=True)
    return [
        _message(roles[who], said.strip(), f"chosen, turn {i + 1}") for i, (who, said) in enumerate(turns)
    ]


def pair(row: Mapping[str, Any]) -> list[Message]:
    """Prompt and completion, question and answer, and the like: as JSON keys or as CSV columns."""
    asked, answered = pair_columns(row)
    said = [_message("system", row["system"], "system")] if row.get("system") else []
    # legacy files mark the prompt's end and start completions with a blank; neither belongs into a chat
    return [
        *said,
        _message("user", _stripped(row[asked]), asked),
        _message("assistant", _stripped(row[answered]), answered),
    ]


def pair_columns(row: Mapping[str, Any]) -> tuple[str, str]:
    """The names that hold the question and the answer; raises Unlike where there are none."""
    asked = next((key for key in ASKED if key in row), None)
    answered = next((key for key in ANSWERED if key in row), None)
    if asked is None or answered is None:
        raise Unlike(f"has no pair of keys out of ({', '.join(ASKED)}) and ({', '.join(ANSWERED)})")
    return asked, answered


FORMS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], list[Message]]]] = {
    "chat": (("messages",), chat),
    "sharegpt": (("conversations",), sharegpt),
    "hh": (("chosen",), hh),
    "alpaca": (("instruction", "output"), alpaca),
    "pair": ((), pair),
}


def form_of(row: Mapping[str, Any]) -> str:
    """The form that a row has the keys of; `pair` where it has no other's."""
    keys = {"conversations" if key == "conversation" else key for key in row}
    return next(name for name, (marks, _) in FORMS.items() if keys.issuperset(marks))


def to_chat(row: Mapping[str, Any], form: str | None = None) -> dict[str, Any]:
    """A row of any form as a chat row; what `messages` needs beside itself (tools) is kept.

    Raises
    ------
    Unlike
        Where the row's values are not what its form says.
    """
    form = form or form_of(row)
    marks, convert = FORMS[form]
    missing = [
        key for key in marks if key not in row and not (key == "conversations" and "conversation" in row)
    ]
    if missing:
        raise Unlike(f"has no key {', '.join(missing)}; the form {form} needs it")
    kept = {key: row[key] for key in ("tools", "parallel_tool_calls") if key in row and form == "chat"}
    return {"messages": convert(row), **kept}


def _message(role: str, content: Any, place: str) -> Message:
    if not isinstance(content, str):
        raise Unlike(f"{place} is no text")
    return {"role": role, "content": content}


def _stripped(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text
