"""All rules, of curves and of data, by id; and what their docstrings say, section by section."""

from __future__ import annotations

import difflib
import inspect
import re
from functools import cache
from typing import Any

SECTIONS = (
    "What it looks for",
    "Why it matters",
    "Example",
    "What to change",
    "Risk of the change",
    "When it cannot tell",
    "References",
)


CLOSE = 0.75  # likeness of difflib from which a name may be a slip of the pen: FT2O1 for FT201, not FT999 for FT509


class UnknownRule(LookupError):
    """No rule has this id; the message names the nearest ones."""


@cache
def all_rules() -> dict[str, Any]:
    """Every rule by its id, in the order of the ids."""
    from advisor.datacheck.catalogue import CATALOGUE as DATA_RULES
    from advisor.rules import CATALOGUE

    return {rule.id: rule for rule in sorted((*CATALOGUE, *DATA_RULES), key=lambda r: r.id)}


def find(asked: str) -> Any:
    """The rule with this id or name, in any case; raises UnknownRule with what may have been meant."""
    rules = all_rules()
    key = re.sub(r"[\s_]+", "-", asked.strip().lower())  # names are printed with blanks
    for rule in rules.values():
        if key in (rule.id.lower(), rule.name.lower()):
            return rule
    known = [k.lower() for rule in rules.values() for k in (rule.id, rule.name)]
    close = difflib.get_close_matches(key, known, n=3, cutoff=CLOSE)
    near = [k.upper() if k.upper() in rules else k for k in close]
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownRule(f"there is no rule {asked!r}. {hint}`advisor rules` lists them all.")


def headline(rule: Any) -> str:
    return (inspect.getdoc(rule) or rule.name).split("\n\n")[0].replace("\n", " ").strip()


def sections(rule: Any) -> dict[str, str]:
    """The fixed sections of a rule's docstring, in their order."""
    parts = re.split(r"(?m)^## +([^\n]+)\n", inspect.getdoc(rule) or "")
    found = {name.strip(): body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: found[name] for name in (*SECTIONS, *found) if name in found}


def risk_of(rule_id: str) -> str:
    """The first sentence of a rule's "Risk of the change"; empty where it has none."""
    try:
        rule = all_rules().get(rule_id)
    except ImportError:
        return ""
    text = sections(rule).get("Risk of the change", "") if rule else ""
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]
