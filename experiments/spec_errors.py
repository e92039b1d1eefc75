"""Words for the mistakes in a SPEC.toml: where, which value, what was expected, and what was perhaps meant."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


TAGS = frozenset({"word", "table"})  # pydantic's names for the branches of `start`: not keys of the file
# By the beginning of pydantic's type of error; limits with an equal sign are those of counts.
EXPECTED = {
    "string_too_short": "expected at least {min_length} character(s)",
    "string_too_long": "expected at most {max_length} characters",
    "string": "expected text in quotes",
    "path": "expected a path in quotes",
    "bool": "expected true or false",
    "int": "expected a whole number",
    "float": "expected a number",
    "finite": "expected a finite number",
    "greater_than_equal": "expected a whole number of at least {ge}",
    "less_than_equal": "expected a whole number of at most {le}",
    "greater_than": "expected a number above {gt:g}",
    "model": "expected a table",
}


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One sentence per mistake, in the order of the file's keys."""
    return [_sentence(item, model) for item in error.errors(include_url=False)]


def _sentence(item: dict[str, Any], model: type[BaseModel]) -> str:
    path = [str(p) for p in item["loc"] if p not in TAGS]
    where = ".".join(path)
    if item["type"] == "missing":
        return f"{where} is missing"
    if item["type"] == "extra_forbidden":
        return f"{where}: no such key{_meant(path, model)}"
    if not path:  # of the file as a whole: it names its key itself
        return item["msg"].removeprefix("Value error, ")
    return f"{where} is {item['input']!r}: {_expected(item)}"


def _expected(item: dict[str, Any]) -> str:
    """What was expected, in the words of a TOML file."""
    for start, words in EXPECTED.items():
        if item["type"].startswith(start):
            return words.format(**item.get("ctx", {}))
    return item["msg"].removeprefix("Value error, ").replace("Input should be", "expected")


def _meant(path: list[str], model: type[BaseModel]) -> str:
    """What the user perhaps meant: a key spelt nearly so, or the same key in another table."""
    *parents, last = path
    known = sorted(_tables(model).get(tuple(parents), ()))
    close = difflib.get_close_matches(last, known, n=1)
    if close:
        return f"; did you mean {'.'.join([*parents, close[0]])}?"
    homes = [".".join((*table, last)) for table, keys in _tables(model).items() if last in keys]
    return f"; did you mean {homes[0]}?" if homes else f"; the keys here are {', '.join(known)}"


def _tables(model: type[BaseModel], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], set[str]]:
    """The keys of every table of the spec, by the table's path."""
    out = {path: set(model.model_fields)}
    for name, info in model.model_fields.items():
        for part in (info.annotation, *_branches(info.annotation)):
            if hasattr(part, "model_fields"):
                out |= _tables(part, (*path, name))
    return out


def _branches(annotation: Any) -> Iterator[Any]:
    """The alternatives of a union, with their annotations stripped."""
    for part in typing.get_args(annotation):
        yield typing.get_args(part)[0] if typing.get_origin(part) is typing.Annotated else part
