"""The advice as a story in parts, before it takes the form of text, Markdown or HTML.

Decides what is told and in which order; knows nothing of how a part is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from advisor.nouns import Advice, Diagnosis, Finding, HyperParameters, Job, Proposal
from advisor.tell import words
from advisor.tell.catalogue import risk_of
from advisor.tell.command import submit_line
from advisor.tell.kept import keep_sentence
from advisor.tell.learned import last_loss
from advisor.tell.price import price
from advisor.tell.visible import all_visible

# A proposal rests on the curves of all jobs; where no rule's move points its way, that is said.
WELL = "FT601"
NO_RULE = "no single rule: of all settings left, the curves of the jobs so far promise most here"
NO_NEIGHBOUR = "no single rule, and nothing that is known: the space was given so"
NO_LOSS = "no single rule: a usual setting, for there is no validation loss that figures could rest on"
FULL = 4  # settings that are told in full

Paste = Callable[[HyperParameters, Any], str]  # the line that tries a setting, by the newest job
PARTS = re.compile(r"; (?![^(]*\))")  # of an expectation, which may have semicolons in brackets


@dataclass(frozen=True)
class Option:
    """A setting that one could try next."""

    changes: tuple[tuple[str, str, str, bool], ...]  # knob, before, after, whether it changes
    because: tuple[str, ...]  # "FT201 overfitting"
    why: str
    expect: str
    cost: str
    risk: str
    stop: bool
    reason: str | None
    command: str

    @property
    def changed(self) -> str:
        """The changes alone, in one line."""
        moved = [
            f"{knob} {f'{old} → ' if old else ''}{new}" for knob, old, new, new_one in self.changes if new_one
        ]
        return ", ".join(moved) or "the same setting again"

    @property
    def prospect(self) -> str:
        """What to expect and what it takes, in one line."""
        return "; ".join(filter(None, (self.expect, self.cost)))


@dataclass(frozen=True)
class Story:
    """Everything that is told of one piece of advice, in the order of telling."""

    jobs: tuple[Job, ...]  # oldest first
    job: str  # the newest job in a line, empty where there is none
    headline: str
    mood: str  # a label, or "asking"
    meaning: str
    heading: str  # of the findings
    fired: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    clear: tuple[Finding, ...]
    options: tuple[Option, ...]  # in full
    further: tuple[Option, ...]  # in a line each: of many settings nobody reads more
    alternatives: tuple[Option, ...]
    keep: str
    live: str | None
    notes: tuple[str, ...]  # what was done to the history before it was judged

    @property
    def count(self) -> int:
        """Settings to try at once."""
        return len(self.options) + len(self.further)

    @property
    def further_heading(self) -> str:
        return f"Next {len(self.options) + 1} to {self.count}"


def tell(advice: Advice, jobs: Sequence[Job | Mapping[str, Any]], paste: Paste = submit_line) -> Story:
    """The story of an advice. `jobs` oldest first, as nouns or records (these alone name files).

    `paste` makes the line by which a setting is tried.
    """
    advice, nouns = all_visible(advice), words.as_jobs(jobs)
    newest = nouns[-1] if nouns else None
    record = _newest_record(jobs, newest)
    findings = [_in_its_unit(f, newest) for f in advice.diagnosis.findings]
    by_rule = {f.rule: f for f in findings}

    def option(p: Proposal) -> Option:
        return _option(p, newest, by_rule, lambda setting: paste(setting, record))

    return Story(
        jobs=tuple(nouns),
        job=_job_line(newest, len(nouns)),
        headline=words.headline(advice.diagnosis),
        mood=words.mood(advice.diagnosis),
        meaning=_meaning(advice, newest),
        heading=f"What the curves show{' so far' if newest and newest.pending else ''}",
        fired=tuple(f for f in findings if f.fires),
        unknown=tuple(f for f in findings if f.verdict == "cannot_tell"),
        clear=words.clear(findings),
        options=_stop_once(_risks_once([option(p) for p in advice.proposals[:FULL]])),
        further=tuple(_other(option(p), p, advice.proposals[:FULL]) for p in advice.proposals[FULL:]),
        alternatives=tuple(_other(option(p), p, advice.proposals) for p in advice.alternatives),
        keep=keep_sentence(advice, nouns),
        live=_live_sentence(advice, newest),
        notes=advice.notes,
    )


def _stop_once(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """The word to stop with the first alone, for it is of all."""
    return tuple(replace(o, stop=o.stop and i == 0) for i, o in enumerate(options))


def _in_its_unit(finding: Finding, newest: Job | None) -> Finding:
    """The finding with figures named by epochs where the job's log has nothing finer."""
    if newest is None or newest.unit == "step":
        return finding
    named = {
        re.sub(r"(^|_)step(?=_|$)", rf"\1{newest.unit}", name): v for name, v in finding.evidence.items()
    }
    return replace(finding, evidence=named)


def _meaning(advice: Advice, newest: Job | None) -> str:
    label = advice.diagnosis.label
    if newest is None:
        return "There is no job yet to judge."
    if label == "healthy" and (doubts := _nothing_decides(advice.diagnosis, newest)):
        return doubts
    if label == "insufficient_data" and newest.status == "failed":
        return "The job failed before it showed enough to judge it by."
    running = words.WHILE_RUNNING.get(label) if newest.pending else None
    return running or words.LABELS[label]


def _nothing_decides(diagnosis: Diagnosis, newest: Job) -> str:
    """What healthy means where the end is bad, or rules fired all the same; empty where all is well."""
    before, after = newest.base_valid_loss, last_loss(newest)
    if before and after and after >= before > 0:
        return "No rule names one fault, but the model ended no better than before training."
    if noted := words.noted(diagnosis):
        asked = any(f.moves for f in diagnosis.fired if words.is_problem(f))
        change = "Nothing is badly wrong with these curves, but they ask for a change"
        return (
            f"{change if asked else 'On the whole these curves are sound; to be noted'}: {words.join(noted)}."
        )
    risen = any(f.rule == WELL and "rise_limit" in f.evidence for f in diagnosis.findings)
    return "No rule finds a fault, but validation loss stands well above its best." if risen else ""


def _option(
    p: Proposal, newest: Job | None, by_rule: Mapping[str, Finding], paste: Callable[[HyperParameters], str]
) -> Option:
    setting = p.hyperparameters
    reason, expect = (p.expect, "") if p.stop and not p.reason else (p.reason, p.expect if setting else "")
    expect = re.sub(r"^against [^;]*; ", "", expect)  # what changes is told beside it
    because = tuple(f"{r} {words.words(by_rule[r].name)}" if r in by_rule else r for r in p.because)
    command = paste(setting) if setting else ""
    return Option(
        changes=_changes(newest, setting, command) if setting else (),
        because=because,
        why=_why(because, [by_rule[r] for r in p.because if r in by_rule]) or _rests_on(expect),
        expect=expect,
        cost=price(p.cost),
        risk=_risk(p, newest, by_rule),
        stop=p.stop,
        reason=reason,
        command=command,
    )


def _changes(
    newest: Job | None, setting: HyperParameters, command: str
) -> tuple[tuple[str, str, str, bool], ...]:
    """Where no provider takes the setting, its rate is no multiplier of anybody's."""
    own = not command and newest is not None and newest.provider is None
    return tuple(words.changes(newest.hyperparameters if newest else None, setting, own=own))


def _risks_once(options: Sequence[Option]) -> tuple[Option, ...]:
    """A risk that was told of a setting above is not told again."""
    return tuple(
        replace(o, risk="") if o.risk in [before.risk for before in options[:i]] else o
        for i, o in enumerate(options)
    )


def _other(option: Option, p: Proposal, made: Sequence[Proposal]) -> Option:
    """The alternative in brief, silent where it expects nothing else than what is told before it."""
    # the loss and the chance of a gain, or what is against it
    figures = "; ".join(PARTS.split(option.expect)[:2])
    expect = "" if any(option.expect in first.expect for first in made) else figures
    return replace(option, expect=expect, cost=price(p.cost, brief=True))


def _why(because: tuple[str, ...], found: Sequence[Finding]) -> str:
    """The rules that carry a setting; where the guide alone asks for it, that is said."""
    untold = [m for f in found for m in f.guide_moves if not m.measured or m.measured.startswith("not ")]
    by_guide = untold and untold == [m for f in found for m in (*f.moves, *f.guide_moves)]
    return f"{words.join(because)}{', by the guide alone, which is not measured' if by_guide else ''}"


def _rests_on(expect: str) -> str:
    """What carries a setting that no rule does, as its expectation has it: figures, a usual choice, or neither."""
    if "no forecast" in expect:
        return NO_NEIGHBOUR
    if "no figures" in expect:
        return NO_LOSS
    return NO_RULE if re.search(r"\d", expect) else ""


def _risk(p: Proposal, newest: Job | None, by_rule: Mapping[str, Finding]) -> str:
    """The risk of the first rule that carries the proposal and whose main change, which its risk is of, is made."""
    old, new = (s.to_record() if s else {} for s in (newest and newest.hyperparameters, p.hyperparameters))
    for rule in p.because:
        found = by_rule.get(rule)
        main = (*found.moves, *found.guide_moves)[:1] if found else ()
        if all(new.get(move.knob) != old.get(move.knob) for move in main) and (risk := risk_of(rule)):
            return risk
    return ""


def _newest_record(jobs: Sequence[Job | Mapping[str, Any]], newest: Job | None) -> Any:
    """The newest job as it was given: a record names its files, a noun does not."""
    given = [j for j in jobs if isinstance(j, Mapping)]
    if newest is None or not given:
        return newest
    return next((j for j in reversed(given) if j.get("id") == newest.id), given[-1])


def _job_line(job: Job | None, of: int) -> str:
    if job is None:
        return ""
    examples = f"{job.n_train_examples} examples" if job.n_train_examples else None
    about = [f"newest of {of} jobs" if of > 1 else None, job.model, examples, job.status]
    known = ", ".join(a for a in about if a)
    return f"{words.job_name(job)}{f' ({known})' if known else ''}: {words.setting(job.hyperparameters)}"


def _live_sentence(advice: Advice, newest: Job | None) -> str | None:
    if newest is None or newest.status != "running":
        return None
    verdict = "Stop it now" if advice.live.stop_now else "Let it run"
    return f"{verdict}: {advice.live.reason}" if advice.live.reason else f"{verdict}."
