"""Answers as JSON that every parser reads: no bare NaN, no numpy values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advisor.tell.visible import masked

if TYPE_CHECKING:
    from advisor.nouns import Advice, Finding


def dumps(value: Any) -> str:
    """JSON text in ASCII, which every terminal and file takes, half a surrogate pair in an id included.

    A non-finite number becomes the string "NaN", "Infinity" or "-Infinity", as in job records; secrets are masked.
    """
    return json.dumps(plain(value), indent=2, allow_nan=False)


def answer(advice: Advice, data: Sequence[Finding] = (), command: str | None = None) -> str:
    """An advice as JSON, with what the data show and the command that submits the next job, where these are told."""
    more = {"data": [f.to_record() for f in data]} if data else {}
    return dumps(advice.to_record() | more | ({} if command is None else {"command": command}))


def is_answer(text: str | bytes) -> bool:
    """Whether a JSON text is an advice, as `answer` writes it."""
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, Mapping) and {"diagnosis", "proposals", "keep"} <= body.keys()


def plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {masked(str(k)): plain(v) for k, v in value.items()}
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
