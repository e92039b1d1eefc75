"""The words and figures that every form of telling shares. Knows nothing of terminals, Markdown or HTML."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from advisor.nouns import Diagnosis, Finding, HyperParameters, Job, Move
from advisor.rules.catalogue import CATALOGUE
from advisor.rules.measured import MEASURED
from advisor.rules.rule import times_right
from advisor.tell.visible import visible

# What each label says to somebody who has never read a loss curve.
LABELS = {
    "insufficient_data": "There are too few measurements to judge this job.",
    "diverged": "The loss blew up: this setting does not train.",
    "overfitting": "The model learned its training data by heart: validation got worse again.",
    "oscillating": "The loss swings from evaluation to evaluation, by much of what it fell or rose.",
    "underfitting": "The job learned little: the loss is still flat and high.",
    "slow_convergence": "The loss was still falling when the job ended.",
    "healthy": "Nothing is wrong with these curves; whether another setting does better they do not tell.",
}
WHILE_RUNNING = {  # what is true of a job that has ended alone
    "insufficient_data": "There are too few measurements yet to judge this job.",
    "overfitting": "The model learns its training data by heart: validation gets worse again.",
    "underfitting": "The job has learned little so far: the loss is still flat and high.",
    "slow_convergence": "The loss is still falling, as it well may while the job runs.",
    "healthy": "Nothing is wrong with these curves so far.",
}
KNOBS = {
    "n_epochs": "epochs",
    "batch_size": "batch size",
    "learning_rate_multiplier": "learning rate multiplier",
    "learning_rate": "learning rate",
}


def figure(value: Any, digits: int = 4) -> str:
    """A figure as one would write it: up to `digits` significant digits, no trailing zeros."""
    if value is None:
        return "unknown"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {figure(v, digits)}" for k, v in value.items())
    if isinstance(value, Iterable):
        return ", ".join(figure(v, digits) for v in value) or "none"
    number = float(value)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "infinite" if number > 0 else "-infinite"
    if number.is_integer() and abs(number) < 1e9:
        return str(int(number))
    return f"{number:.{digits}g}"


def words(name: str) -> str:
    """A field name as words: rise_above_best -> rise above best."""
    return name.replace("_", " ").replace("-", " ").strip()


def title(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]


def evidence_pairs(evidence: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    """Figures with the limit that belongs to each: [(name, figure, limit or None)].

    A rule writes `x` beside `x_limit`, or beside the lone `limit`, which belongs to its first figure.
    """
    limits = {k: v for k, v in evidence.items() if k == "limit" or k.endswith("_limit")}
    figures = {k: v for k, v in evidence.items() if k not in limits}
    pairs = []
    for i, (name, value) in enumerate(figures.items()):
        limit = limits.get(f"{name}_limit", limits.get("limit") if i == 0 else None)
        single = name == "lines" and isinstance(value, Sequence) and len(value) == 1
        shown = "line" if single else words(name)
        pairs.append((shown, figure(value), None if limit is None else figure(limit)))
    used = {f"{name}_limit" for name in figures} | ({"limit"} if figures else set())
    return pairs + [(words(k), figure(v), None) for k, v in limits.items() if k not in used]


NEWS = frozenset(rule.id for rule in CATALOGUE if rule.news)
GOOD = frozenset(rule.id for rule in CATALOGUE if rule.good)


def is_problem(finding: Finding) -> bool:
    return finding.fires and finding.rule not in NEWS


def clear(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The troubles that were looked for and not found: "clear FT601 going well" would say that nothing goes well."""
    return tuple(f for f in findings if f.verdict == "clear" and f.rule not in GOOD)


def noted(diagnosis: Diagnosis) -> list[str]:
    """The problems that fired, as "FT306 hidden fall"."""
    return [f"{f.rule} {words(f.name)}" for f in diagnosis.fired if is_problem(f)]


def verdict(diagnosis: Diagnosis) -> str:
    """The label in words, and what is to be noted where that is healthy."""
    but = noted(diagnosis) if diagnosis.label == "healthy" else []
    return words(diagnosis.label) + (f", to be noted: {join(but)}" if but else "")


def asks_for_a_change(diagnosis: Diagnosis) -> bool:
    """Whether a healthy job is no all-clear: a rule that fired on it names moves."""
    return diagnosis.label == "healthy" and any(f.moves for f in diagnosis.fired if is_problem(f))


def headline(diagnosis: Diagnosis) -> str:
    """The label in words; where rules ask for a change all the same, it says so."""
    asked = ", with a change asked for" if asks_for_a_change(diagnosis) else ""
    return words(diagnosis.label) + asked


def mood(diagnosis: Diagnosis) -> str:
    """What the headline's colour tells: the label, but of a healthy job that asks for a change "asking"."""
    return "asking" if asks_for_a_change(diagnosis) else diagnosis.label


def evidence_line(finding: Finding) -> str:
    parts = [
        f"{n} {v}" + (f" (limit {lim})" if lim else "") for n, v, lim in evidence_pairs(finding.evidence)
    ]
    return "; ".join(parts)


def missing(finding: Finding) -> str:
    """What a rule that cannot tell would need."""
    return finding.reason.removeprefix("cannot tell:").strip()


def unknown(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Rules that cannot tell, by what they lack: [("FT302 still falling, FT304 not converged", "fewer than ...")]."""
    lacking: dict[str, list[str]] = {}
    for f in findings:
        if f.verdict == "cannot_tell":
            lacking.setdefault(missing(f), []).append(f"{f.rule} {words(f.name)}")
    return [(", ".join(rules), lack) for lack, rules in lacking.items()]


def move(m: Move, rule: str = "") -> str:
    """One change in words, with its measured rate: "epochs down (to lower the loss; right on 92 of 93 jobs)"."""
    aim = "to lower the loss" if m.aim == "loss" else "to save time at the same loss"
    seen = m.measured or rate(rule, m)
    return f"{KNOBS.get(m.knob, words(m.knob))} {m.direction} ({aim}{f'; {seen}' if seen else ''})"


def moves(finding: Finding) -> str:
    """A rule's moves in words, graded: the first one first."""
    return "; if that is not enough, ".join(move(m, finding.rule) for m in finding.moves)


def rate(rule: str, m: Move) -> str | None:
    """How often a rule's move was right on the benchmark, or that it was not measured; None for an unknown rule."""
    known = MEASURED.get(rule)
    if known is None:
        return None
    right, possible = times_right(rule, m)
    if possible:
        return f"right on {right} of {possible} jobs"
    return f"not measured: the rule fired on {known['fired'][0]} of {known['fired'][1]} jobs"


def guide_move(m: Move) -> str:
    """A move that the guide names and measurement does not bear out, with its measured rate."""
    change = f"{KNOBS.get(m.knob, words(m.knob))} {m.direction}"
    if not m.measured or m.measured.startswith("not "):
        return f"{change} (not measured)"
    return f"{change} ({m.measured}: no reason by itself)"


def setting(hp: HyperParameters | None) -> str:
    """A setting in one line; what is not known is left out."""
    if hp is None:
        return "no setting"
    parts = [f"{KNOBS[k]} {figure(v)}" for k, v in knobs(hp).items() if v is not None]
    return ", ".join(parts) or "setting unknown"


def knobs(hp: HyperParameters) -> dict[str, Any]:
    """The knobs that a setting has, in the order in which they are told."""
    return {k: v for k in KNOBS if (v := getattr(hp, k)) is not None}


def changes(
    before: HyperParameters | None, after: HyperParameters, *, own: bool = False
) -> list[tuple[str, str, str, bool]]:
    """What changes from one setting to the next: [(knob in words, before, after, changed)].

    `own`: no provider multiplies the rate; one that no log tells was taken for the usual, and is told as times that.
    """
    old = knobs(before) if before else {}
    rows = []
    for name, value in knobs(after).items():
        if own and name == "learning_rate_multiplier" and before and not has_rate(before):
            rows.append((KNOBS["learning_rate"], "", f"{figure(value)} x what it was", not same(1, value)))
            continue
        was = old.get(name)
        rows.append((KNOBS[name], "" if was is None else figure(was), figure(value), not same(was, value)))
    return rows


def has_rate(setting: HyperParameters) -> bool:
    return setting.learning_rate is not None or setting.learning_rate_multiplier is not None


def same(a: Any, b: Any) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b


def job_name(job: Job, number: int | None = None) -> str:
    return job.id or (f"job {number}" if number else "the job")


def as_jobs(jobs: Sequence[Job | Mapping[str, Any]]) -> list[Job]:
    """Jobs to be told of, from nouns or records alike, oldest first where all say when they began."""
    with warnings.catch_warnings():  # what is doubtful in a record was said when it was read for judging
        warnings.simplefilter("ignore")
        out = [_to_show(j if isinstance(j, Job) else Job.from_record(j)) for j in jobs]
    if all(j.created_at is not None for j in out):
        out.sort(key=lambda j: j.created_at)
    return out


def _to_show(job: Job) -> Job:
    texts = {name: visible(text) for name in ("id", "model", "status") if (text := getattr(job, name))}
    return replace(job, **texts)


def join(items: Sequence[str], last: str = "and") -> str:
    items = list(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""
