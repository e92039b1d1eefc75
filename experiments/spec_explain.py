"""Every key of a SPEC.toml with its default and meaning, from the very model that checks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from experiments.spec import Budget, Eval, Space, Spec, Start

TABLES: dict[str, type[BaseModel]] = {
    "": Spec,
    "budget": Budget,
    "space": Space,
    "start": Start,
    "eval": Eval,
}
EXAMPLE = Path(__file__).parent / "specs" / "example.toml"


def explain() -> str:
    """All keys, table by table, and the commented example."""
    return "\n".join([*_lines(), "", "An example:", "", EXAMPLE.read_text(encoding="utf-8").rstrip()])


def _lines() -> Iterator[str]:
    for table, model in TABLES.items():
        yield f"\n[{table}]  {model.__doc__.splitlines()[0]}" if table else "Keys of a SPEC.toml"
        for name, info in model.model_fields.items():
            if name not in TABLES or (name == "start" and not table):
                yield f"  {name:<26}{_default(info):<14}{info.description}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.default
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
