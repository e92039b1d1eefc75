"""Advice as Markdown, for the note of an MLflow run or a pull request. Knows the story's parts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from advisor.nouns import Advice, Finding, Job
from advisor.tell import words
from advisor.tell.story import Option, Story, tell


def markdown(advice: Advice, jobs: Sequence[Job | Mapping[str, Any]], *, data: Sequence[Finding] = ()) -> str:
    """The advice as Markdown; `jobs` and `data` as for `text`."""
    story = tell(advice, jobs)
    parts = [_head(story), _findings((*story.fired, *story.unknown, *story.clear), story.heading)]
    if data:
        parts.append(_findings(data, "What the data show"))
    if story.notes:
        parts.append("\n".join(["### About the history\n", *(f"- {escape(n)}" for n in story.notes)]))
    if story.live:
        parts.append(f"### Live\n\n{escape(story.live)}")
    parts += [_option(o, i, story.count) for i, o in enumerate(story.options, 1)]
    for heading, options in ((story.further_heading, story.further), ("Or", story.alternatives)):
        if options:
            parts.append(f"### {heading}\n\n{_in_brief(options)}")
    parts.append(f"### Keep\n\n{escape(story.keep)}")
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that Markdown and the HTML in it leave alone."""
    for mark in ("\\", "`", "*", "_", "[", "]", "|", "#"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def _head(story: Story) -> str:
    if not story.job:
        return story.meaning
    return f"## {words.title(story.headline)}\n\n{escape(story.job)}\n\n{story.meaning}"


def _findings(findings: Sequence[Finding], heading: str) -> str:
    fired = [f for f in findings if f.fires]
    lines = [f"### {heading}", ""]
    if not any(words.is_problem(f) for f in fired):
        lines += ["No problem found.", ""]
    lines += [_fired(f) for f in fired]
    lines += [f"\nCannot tell {rules}: {escape(lack)}." for rules, lack in words.unknown(findings)]
    clear = ", ".join(f"{f.rule} {words.words(f.name)}" for f in words.clear(findings))
    lines += [f"\nClear: {clear}."] if clear else []
    return "\n".join(lines)


def _fired(f: Finding) -> str:
    lines = [f"- **{f.rule} {words.words(f.name)}**: {escape(f.reason)}"]
    if f.evidence:
        lines.append(f"  - figures: {escape(words.evidence_line(f))}")
    if f.moves:
        lines.append(f"  - change: {words.moves(f)}")
    if f.guide_moves:
        told = words.join([words.guide_move(m) for m in f.guide_moves])
        lines.append(f"  - the guide also says {told}")
    return "\n".join(lines)


def _in_brief(options: Sequence[Option]) -> str:
    return "\n".join(f"- {escape(': '.join(filter(None, (o.changed, o.prospect))))}" for o in options)


def _option(option: Option, number: int, of: int) -> str:
    lines = [f"### Next{f' {number} of {of}' if of > 1 else ''}", ""]
    if option.stop:
        lines += [f"**Stop**: {escape(option.reason or '')}", ""]
    if option.changes:
        lines += ["| | before | next |", "|---|---|---|"]
        lines += [
            f"| {knob} | {old or '?'} | {f'**{new}**' if changed else new} |"
            for knob, old, new, changed in option.changes
        ]
        lines.append("")
    told = {
        "Why": option.why,
        "Expect": option.expect,
        "Cost": option.cost,
        "Risk": option.risk,
    }
    lines += [f"{name}: {escape(text)}  " for name, text in told.items() if text]
    if option.command:
        lines += ["", "```sh", option.command, "```"]
    return "\n".join(lines).strip()
