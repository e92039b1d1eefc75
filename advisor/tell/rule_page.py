"""One rule as a page, all rules as a list or as RULES.md. Reads the rules' docstrings and attributes only."""

from __future__ import annotations

import re
from typing import Any

from advisor.rules import Threshold
from advisor.rules.measured import MEASURED, N_TABLES
from advisor.tell.catalogue import all_rules, headline, sections
from advisor.tell.ink import Ink
from advisor.tell.words import KNOBS, figure, words

INTRO = f"""\
# The rules

Every rule reads figures measured on a job's curves (FT1xx to FT4xx, FT6xx) or on its data (FT5xx) and answers `fires`, `clear`
or `cannot_tell`. This page is generated: `advisor rules --markdown > RULES.md`.

"Measured" tells on how many jobs of {N_TABLES} tables of real fine-tuning results a rule fired, and how often the change
that it names lowered the final validation loss, of the jobs where the table holds a next value. What the guide says and
measurement does not bear out is shown with its rate and not followed. Data rules change no knob: of them nothing of
this kind can be measured.
"""


def page(rule: Any, ink: Ink | None = None) -> str:
    """A rule as text for the terminal."""
    ink = ink or Ink()
    parts = [
        f"{ink(rule.id, 'bold', 'yellow')} {ink(words(rule.name), 'bold')}\n{ink.fill(headline(rule), 4)}"
    ]
    parts += [f"{ink(name, 'bold')}\n{_paragraphs(body, ink)}" for name, body in sections(rule).items()]
    for name, lines in (("Limits", limits(rule)), ("The guide", guide(rule)), ("Measured", measured(rule))):
        if lines:
            parts.append("\n".join([ink(name, "bold"), *(ink.fill(line, 4) for line in lines)]))
    return "\n\n".join(parts)


def _paragraphs(body: str, ink: Ink) -> str:
    """A section of a docstring broken anew: a blank line and an item of a list begin a paragraph."""
    blocks = re.split(r"\n(?=\n|- )", body)
    return "\n".join(
        ("\n" if b[:1] == "\n" else "") + ink.fill(b.strip(), 4 if b[:2] == "- " else 2) for b in blocks
    )


def listing(ink: Ink | None = None) -> str:
    """All rules, one a line, with what was measured."""
    ink = ink or Ink()
    lines = []
    for rule in all_rules().values():
        lines.append(f"{ink(rule.id, 'bold', 'yellow')}  {words(rule.name):<36}{headline(rule)}")
        lines += [ink(f"       {line}", "dim") for line in measured(rule)]
    return "\n".join(lines)


def rules_markdown() -> str:
    """RULES.md: a table of contents and one chapter per rule."""
    rules = all_rules().values()
    table = ["| rule | symptom | measured |", "|---|---|---|"]
    table += [f"| [{r.id}](#{anchor(r)}) | {words(r.name)} | {'; '.join(measured(r))} |" for r in rules]
    return "\n\n".join([INTRO.rstrip(), "\n".join(table), *(_chapter(r) for r in rules)]) + "\n"


def record(rule: Any) -> dict[str, Any]:
    """A rule as data."""
    return {
        "rule": rule.id,
        "name": rule.name,
        "headline": headline(rule),
        "sections": sections(rule),
        "limits": limits(rule),
        "guide": guide(rule),
        "measured": measured(rule),
    }


def anchor(rule: Any) -> str:
    return f"{rule.id.lower()}-{words(rule.name).lower().replace(' ', '-')}"


def guide(rule: Any) -> list[str]:
    return list(rule.guide)


def measured(rule: Any) -> list[str]:
    """On how many jobs the rule fired, and how often each move was right; empty where it was not measured."""
    seen = MEASURED.get(rule.id, {})
    fired, jobs = seen.get("fired", (0, 0))
    lines = [f"fired on {fired:,} of {jobs:,} jobs"] if jobs else []
    for name, (right, possible) in seen.items():
        if name != "fired" and possible:
            knob, direction = name.rsplit(" ", 1)
            lines.append(
                f"{KNOBS.get(knob, words(knob))} {direction}: right on {right} of {possible} ({figure(100 * right / possible, 3)} %)"
            )
    return lines


def limits(rule: Any) -> list[str]:
    """The rule's thresholds with their unit and origin."""
    return [
        f"{words(name)}: {figure(float(value))} {value.unit} ({value.origin})"
        for name, value in vars(type(rule)).items()
        if isinstance(value, Threshold)
    ]


def _chapter(rule: Any) -> str:
    parts = [f"## {rule.id} {words(rule.name)}", headline(rule)]
    parts += [f"### {name}\n\n{body}" for name, body in sections(rule).items()]
    for name, lines in (("Limits", limits(rule)), ("The guide", guide(rule)), ("Measured", measured(rule))):
        if lines:
            parts.append(f"### {name}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts)
