"""The report: one self-contained HTML page with its charts inside, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup, escape

from advisor.nouns import Advice, Finding, Job
from advisor.tell import learned, words
from advisor.tell.story import tell
from advisor.tell.svg.compare import compare_chart
from advisor.tell.svg.curves import curves_chart
from advisor.tell.svg.frame import NARROW, WIDE
from advisor.tell.svg.gauge import gauge, gauges
from advisor.tell.svg.knob import knob_chart
from advisor.tell.svg.path import NEWEST, path_chart
from advisor.tell.visible import all_visible

SMALL_NUMBER = re.compile(r"\d[\d.]*e-\d+")


def html(advice: Advice, jobs: Sequence[Job | Mapping[str, Any]], *, data: Sequence[Finding] = ()) -> str:
    """The advice as a page; `jobs` and `data` as for `text`.

    Shows figures, digests and line numbers, never the text of an example.
    """
    story, advice = tell(advice, jobs), all_visible(advice)
    nouns, charts = story.jobs, _charts(advice, story.jobs)
    return _template().render(
        story=story,
        headline=words.title(story.headline),
        mood=story.mood,
        data=data,
        charts=charts,
        drawn=_drawn(nouns, charts["curves"]),
        on_the_path=min(NEWEST, len(nouns)),
        rows=_rows(nouns, advice),
        knobs=_knobs(nouns),
        marks=words,
        gauges=lambda f: [(n, v, lim, gauge(v, lim, f.fires)) for n, v, lim in gauges(f)],
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("advisor.tell", "pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["problem"] = words.is_problem
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("report.html.j2")


def _unbroken(text: str) -> Markup:
    """HTML of a text whose rates, as 2.5e-05, do not break at their hyphen at the end of a line."""
    return Markup(SMALL_NUMBER.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))


def _charts(advice: Advice, jobs: Sequence[Job]) -> dict[str, str]:
    """Each chart wide and narrow, one after the other; empty where it has nothing to show."""
    if not jobs:
        return {"curves": "", "compare": "", "path": ""}
    findings, settings = (
        advice.diagnosis.findings,
        [p.hyperparameters for p in advice.proposals if p.hyperparameters],
    )
    rate = "learning_rate_multiplier"
    if not any(getattr(j.hyperparameters, rate) for j in jobs):
        rate = "learning_rate"
    both = (WIDE, NARROW)
    return {
        "curves": "".join(curves_chart(jobs[-1], findings, w) for w in both),
        "compare": "".join(compare_chart(jobs, w) for w in both),
        "path": "".join(
            path_chart(jobs, settings, rate, up, NARROW, f"path-{up}") for up in ("n_epochs", "batch_size")
        ),
    }


def _drawn(jobs: Sequence[Job], chart: str) -> dict[str, bool]:
    """What the legend names: the newest job's curves that there are, and evidence where it is marked."""
    newest = jobs[-1] if jobs else Job()
    curves = {"train": newest.train, "valid": newest.valid, "full": newest.full_valid}
    marked = any(f'class="{mark}' in chart for mark in ("evidence", "shade"))
    return {name: len(learned.finite(curve)) > 0 for name, curve in curves.items()} | {"evidence": marked}


def _rows(jobs: Sequence[Job], advice: Advice) -> list[dict[str, Any]]:
    """The table of jobs: setting, best and last loss, label, whether it is the one to keep."""
    from advisor.diagnosis import diagnose
    from advisor.measure import measure

    rows, gain = [], learned.gain_so_far(jobs)
    for i, job in enumerate(jobs, 1):
        best = learned.best_point(job)
        rows.append(
            {
                "number": i,
                "name": words.job_name(job, i),
                "knobs": words.knobs(job.hyperparameters),
                "best": best and f"{learned.told_loss(best[1], gain)} at {job.unit} {words.figure(best[0])}",
                "last": _last(job, gain),
                "status": None if job.succeeded else job.status,
                "label": diagnose(measure(job)).label,  # its own curves decide: no history is measured again
                "keep": advice.keep.job is not None and job.id == advice.keep.job,
            }
        )
    return rows


def _last(job: Job, gain: float | None) -> str:
    loss = learned.last_loss(job) if learned.end_loss(job) is not None or not job.succeeded else None
    return learned.told_loss(loss, gain) if loss is not None else "no number" if len(job.full_valid) else ""


def _knobs(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """What was learned per knob: a chart and the effects in words."""
    effects, gain = learned.effects(jobs), learned.gain_so_far(jobs)
    return [
        {
            "name": words.KNOBS[knob],
            "chart": knob_chart(jobs, knob, effects.get(knob, []), f"knob-{knob}"),
            "effects": [e.sentence(gain) for e in effects.get(knob, [])],
        }
        for knob in words.KNOBS
        if any(getattr(j.hyperparameters, knob) is not None for j in jobs)
    ]
