"""Advice as plain text for a terminal. Knows the story's parts; decides nothing about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from advisor.nouns import Advice, Finding, Job
from advisor.tell import words
from advisor.tell.command import submit_line
from advisor.tell.ink import Ink
from advisor.tell.story import Option, Paste, Story, tell
from advisor.tell.terminal_plot import MARGIN
from advisor.tell.terminal_plot import WIDTH as PLOT
from advisor.tell.terminal_plot import plot as draw


def text(
    advice: Advice,
    jobs: Sequence[Job | Mapping[str, Any]],
    *,
    ink: Ink | None = None,
    plot: bool = False,
    judge_only: bool = False,
    data: Sequence[Finding] = (),
    paste: Paste = submit_line,
) -> str:
    """The advice in words.

    Parameters
    ----------
    advice
        What `advise` answered.
    jobs
        The jobs it was asked about, oldest first, as nouns or as records (these alone name files).
    ink
        What the reader's terminal shows; default: no colour, lines of 96 columns.
    plot
        Whether to draw the newest job's curves with characters.
    judge_only
        Leave out what to try next.
    data
        Findings about the training data, told beside those about the curves.
    paste
        Makes the line that tries a setting; a command by default.
    """
    ink, story = ink or Ink(), tell(advice, jobs, paste)
    parts = [_head(story, ink)]
    if plot and story.jobs:
        parts.append(draw(story.jobs[-1], min(PLOT, ink.columns - MARGIN)))
    parts.append(findings_text((*story.fired, *story.unknown, *story.clear), ink, story.heading))
    if data:
        parts.append(findings_text(data, ink, "What the data show"))
    if story.notes:
        parts.append("\n".join([ink("About the history", "bold"), *(ink.fill(n, 4, 2) for n in story.notes)]))
    if story.live:
        parts.append(f"{ink('Live', 'bold')}\n{ink.fill(story.live)}")
    if not judge_only:
        parts += [
            _next(story, ink),
            _in_brief(story.further_heading, story.further, ink),
            _in_brief("Or", story.alternatives, ink),
        ]
    parts.append(f"{ink('Keep', 'bold')}\n{ink.fill(story.keep)}")
    commands = [o.command for o in (*story.options, *story.further) if o.command]
    if commands and not judge_only:
        forced = " (only if you go on all the same)" if story.options[0].stop else ""
        parts.append("\n".join([ink(f"Paste{forced}", "bold"), *(f"  {c}" for c in commands)]))
    return "\n\n".join(p for p in parts if p)


def findings_text(findings: Sequence[Finding], ink: Ink, heading: str = "What the curves show") -> str:
    """Findings under a heading: those that fire in full, what cannot be told with its reason, the rest by name."""
    fired = [f for f in findings if f.fires]
    clear = words.clear(findings)
    lines = [ink(heading, "bold")]
    if not any(words.is_problem(f) for f in fired):
        lines.append("  No problem found." if fired or clear else "  Nothing could be judged.")
    for f in fired:
        lines += _finding(f, ink)
    lines += [
        ink.fill(f"{ink('cannot tell', 'dim')}  {rules}: {lack}", 4, 2)
        for rules, lack in words.unknown(findings)
    ]
    if clear:
        lines.append(
            ink.fill(
                f"{ink('clear', 'green')}  " + ", ".join(f"{f.rule} {words.words(f.name)}" for f in clear),
                4,
                2,
            )
        )
    return "\n".join(lines)


def _head(story: Story, ink: Ink) -> str:
    if not story.job:
        return story.meaning
    verdict = f"{ink.headline(story.headline, story.mood)}: {story.meaning}"
    return "\n".join(ink.fill(line, 2, 0) for line in (story.job, verdict))


def _finding(f: Finding, ink: Ink) -> list[str]:
    lines = [ink.fill(f"{ink(f.rule, 'bold', 'yellow')} {words.words(f.name)}: {f.reason}", 4, 2)]
    if f.evidence:
        lines.append(ink.fill(f"figures: {words.evidence_line(f)}", 6, 4))
    if f.moves:
        lines.append(ink.fill(f"change: {words.moves(f)}", 6, 4))
    if f.guide_moves:
        told = words.join([words.guide_move(m) for m in f.guide_moves])
        lines.append(ink.fill(f"the guide also says {told}", 6, 4))
    return lines


def _next(story: Story, ink: Ink) -> str:
    return "\n".join(
        line
        for i, option in enumerate(story.options, 1)
        for line in _option(option, ink, f"Next {i} of {story.count}" if story.count > 1 else "Next")
    )


def _option(option: Option, ink: Ink, heading: str) -> list[str]:
    lines = [ink(heading, "bold")]
    if option.stop:
        lines.append(ink.fill(f"{ink('Stop', 'bold', 'green')}: {option.reason}"))
        if option.changes:
            lines.append("  If you go on all the same:")
    for knob, old, new, changed in option.changes:
        shown = (
            f"{old} → {ink(new, 'bold', 'cyan')}"
            if changed and old
            else ink(new, "bold")
            if changed
            else f"{new} (as before)"
        )
        lines.append(f"  {knob:<26}{shown}")
    if option.why:
        lines.append(ink.fill(f"why: {option.why}"))
    if option.expect:
        lines.append(ink.fill(f"expect: {option.expect}"))
    if option.cost:
        lines.append(ink.fill(f"cost: {option.cost}"))
    if option.risk:
        lines.append(ink.fill(f"risk: {option.risk}"))
    return lines


def _in_brief(heading: str, options: Sequence[Option], ink: Ink) -> str:
    if not options:
        return ""
    lines = [ink(heading, "bold")]
    for option in options:
        why = f" [{', '.join(b.split()[0] for b in option.because)}]" if option.because else ""
        lines.append(ink.fill(": ".join(filter(None, (f"{option.changed}{why}", option.prospect))), 4, 2))
    return "\n".join(lines)
