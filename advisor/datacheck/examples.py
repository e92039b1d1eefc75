"""One row of a training file as what the model is asked and what it is to answer.

Knows the shapes that providers take: chat (`messages`), `prompt` / `completion`, and preferences (`input`,
`preferred_output`, `non_preferred_output`), of which the preferred answer is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import Any

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
CHAT, PAIR, PREFERENCE = "chat", "prompt and completion", "preference"
OUTPUTS = {"preferred_output", "non_preferred_output"}  # the keys of a preference
# Keys of forms that no provider takes and `tracker data convert` knows.
ELSEWHERE = {"conversations": "ShareGPT", "instruction": "Alpaca", "chosen": "Anthropic HH"}
# Often the same in all rows and long: it makes no rows alike, but rows under other instructions are not the same.
SETTING_THE_SCENE = ("system", "developer")


@dataclass(frozen=True)
class Example:
    """One training or validation example."""

    line: int  # in its file, from 1
    prompt: str = ""  # all but the last assistant message, system messages left out
    answer: str = ""  # what the loss is taken on
    scene: str = ""  # the system messages; one text in memory however many rows share it
    problem: str | None = None  # why the row cannot be trained on
    form: str = ""  # CHAT, PAIR or PREFERENCE

    @property
    def text(self) -> str:
        """Prompt and answer; of a row that cannot be trained on, how it stands in the file."""
        return f"{self.prompt}\n{self.answer}"


def read_examples(rows: Iterable[tuple[Any, ...]]) -> list[Example]:
    """Examples in file order; a row that cannot be read is kept with its problem, and its bytes where they come along."""
    return [
        Example(line, *(part.decode("utf-8", "replace") for part in raw[:1]), problem=problem)
        if problem
        else _example(line, row)
        for line, row, problem, *raw in rows
    ]


def of_one_form(rows: Sequence[Example], standard: Sequence[Example]) -> tuple[Example, ...]:
    """The rows; one of another form than most rows of `standard` has this as its problem."""
    forms = Counter(e.form for e in standard if e.problem is None)
    usual = max(forms, key=forms.__getitem__, default=None)

    def judged(e: Example) -> Example:
        if e.problem is not None or usual in (None, e.form):
            return e
        told = f"the row is {e.form} and most training rows are {usual}; providers take files of one form"
        return replace(e, problem=told)

    return tuple(map(judged, rows))


def _example(line: int, row: Any) -> Example:
    try:
        form = _form(row)
        scene, prompt, answer = READ[form](row)
    except ValueError as error:
        return Example(line, _as_it_stands(row), problem=str(error))
    problem = None if answer.strip() else "the answer is empty: there is nothing to learn from"
    return Example(line, prompt, answer, intern(scene), problem, form)


def _as_it_stands(row: Any) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, default=str)
    except RecursionError:  # reading bears a little more than writing
        return ""


def _form(row: Any) -> str:
    if not isinstance(row, Mapping):
        raise ValueError(f"the row is of type {type(row).__name__}; expected a JSON object")
    return CHAT if "messages" in row else PREFERENCE if OUTPUTS & row.keys() else PAIR


def _preference(row: Mapping[str, Any]) -> tuple[str, str, str]:
    missing = [k for k in ("input", *sorted(OUTPUTS, reverse=True)) if k not in row]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} missing; expected input, preferred_output and non_preferred_output"
        )
    if not isinstance(row["input"], Mapping):
        raise ValueError(f"input is of type {type(row['input']).__name__}; expected an object with messages")
    asked = _list(row["input"].get("messages"), "input.messages")
    other = _chat(
        [*asked, *_list(row["non_preferred_output"], "non_preferred_output")], "non_preferred_output"
    )
    read = _chat([*asked, *_list(row["preferred_output"], "preferred_output")], "preferred_output")
    if read == other:
        raise ValueError("both outputs are the same: there is no preference to learn")
    return read


def _pair(row: Mapping[str, Any]) -> tuple[str, str, str]:
    missing = [k for k in ("prompt", "completion") if k not in row]
    if missing:
        whose = next((form for key, form in ELSEWHERE.items() if key in row), None)
        remedy = (
            f": these are {whose}'s keys, and `tracker data convert` makes chat rows of them" if whose else ""
        )
        told = f"{' and '.join(missing)} missing; expected messages, or prompt and completion"
        raise ValueError(told + remedy)
    if isinstance(row["prompt"], list):  # conversational prompt and completion
        return _chat([*row["prompt"], *_list(row["completion"], "completion")])
    return "", _text(row["prompt"], "prompt"), _text(row["completion"], "completion")


def _chat(messages: Any, end: str = "") -> tuple[str, str, str]:
    """The system messages, all else but the last answer, and that answer; `end` names where the answer stands."""
    messages = _list(messages)
    turns = [_turn(m, i) for i, m in enumerate(messages)]
    if not turns or turns[-1][0] != "assistant":
        found = f"ends with a {turns[-1][0]} message" if turns else "has no message"
        where = f" with {end}" if end else ""
        raise ValueError(f"the conversation{where} {found}; expected an assistant message at its end")
    scene = "\n".join(text for role, text in turns if role in SETTING_THE_SCENE)
    asked = "\n".join(text for role, text in turns[:-1] if role not in SETTING_THE_SCENE)
    return scene, asked, turns[-1][1]


def _turn(message: Any, i: int) -> tuple[str, str]:
    role = message.get("role") if isinstance(message, Mapping) else None
    if role not in ROLES:  # not quoted: it may hold a user's text
        raise ValueError(f"messages[{i}] has an unknown role or none; expected one of {', '.join(ROLES)}")
    if message.get("tool_calls") or message.get("function_call"):
        return role, str(message.get("tool_calls") or message.get("function_call"))
    return role, _text(message.get("content"), f"messages[{i}].content")


def _text(value: Any, name: str) -> str:
    if isinstance(value, list):  # parts, of which the text ones count
        odd = [type(p).__name__ for p in value if not isinstance(p, Mapping)]
        if odd:
            raise ValueError(f"{name} has a part of type {odd[0]}; expected objects with a type")
        return "\n".join(str(p.get("text", "")) for p in value)
    if not isinstance(value, str):
        raise ValueError(f"{name} is of type {type(value).__name__}; expected a text")
    return value


def _list(value: Any, name: str = "messages") -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is of type {type(value).__name__}; expected a list")
    return value


READ = {CHAT: lambda row: _chat(row["messages"]), PAIR: _pair, PREFERENCE: _preference}
