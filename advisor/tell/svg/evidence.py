"""Draws on a job's curves what a rule that fired saw there: the rise, the late fall, the swing.

One small function per rule; a rule without one is told in words alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.measure.measurements import MIN_POINTS
from advisor.nouns import Curve, Finding, Job
from advisor.tell.svg.frame import Frame
from advisor.tell.terminal_plot import MARKS, finite
from advisor.tell.words import figure

# Pixels that a letter of a note is wide at most, and from one line of notes to the next.
LETTER, ROW = 7.5, 15


def draw_evidence(frame: Frame, job: Job, findings: Sequence[Finding]) -> None:
    """Mark the best point, and what each rule that fired rests on."""
    judged = judged_curve(job)
    if len(judged):
        _best(frame, judged)
    fired = [f for f in findings if f.fires]
    _last_third(frame, job, fired)
    for finding in fired:
        if finding.rule in DRAW and len(judged):
            DRAW[finding.rule](frame, job, judged, finding.evidence)


def judged_curve(job: Job) -> Curve:
    """The validation curve that the rules read: the one on the whole set where it has enough points for a trend."""
    full, batch = finite(job.full_valid), finite(job.valid)
    known = len(full) + (job.base_valid_loss is not None)
    return full if known >= MIN_POINTS or len(full) >= len(batch) else batch


def _best(frame: Frame, curve: Curve) -> None:
    i = int(np.argmin(curve.loss))
    x, y = frame.at(curve.step[i], curve.loss[i])
    frame.circle(x, y, 8, "best")
    end = x > frame.width * 0.7
    below = y + 22 < frame.height - frame.bottom - 4  # else the axis is in the way
    words = f"best {figure(curve.loss[i])}"
    frame.text(
        x - 12 if end else x + 2, y + 22 if below else y - 14, words, f"note good{' end' if end else ''}"
    )


def _rise(frame: Frame, job: Job, curve: Curve, evidence: dict) -> None:
    """FT201: from the lowest level up to the last."""
    best, end = evidence.get("best"), evidence.get("end")
    if best is not None and end is not None:
        _bracket(frame, (evidence.get("best_step") or 0, best), end, "FT201")


def _bracket(frame: Frame, low: tuple[float, float], end: float, rule: str) -> None:
    """An arrow at the right edge from the level of a point (step, loss) up to the last, with its share."""
    start, best = low
    x, y = frame.at(frame.x.high, best)
    high = frame.at(frame.x.high, end)[1]
    frame.line(frame.at(start, best)[0], y, x, y, "evidence thin")
    frame.line(x - 3, y, x - 3, high, "evidence", ' marker-end="url(#arrow)"')
    share = f"+{(end - best) / abs(best):.0%}" if best else f"+{figure(end - best)}"
    below = y + 21 < frame.height - frame.bottom  # else the axis is in the way
    frame.text(x - (0 if below else 10), y + 17 if below else y - 7, f"{rule} {share}", "note bad end")


def _swing(frame: Frame, job: Job, curve: Curve, evidence: dict) -> None:
    """FT401: the band of the mean swing around the curve's own middle."""
    middle, swing = float(np.median(curve.loss)), float(evidence.get("swing") or 0)
    x0, y0 = frame.at(float(curve.step.min()), middle + swing)
    x1, y1 = frame.at(float(curve.step.max()), middle - swing)
    frame.parts.append(
        f'<rect class="shade" x="{x0:g}" y="{y0:g}" width="{x1 - x0:g}" height="{max(y1 - y0, 1):g}"/>'
    )
    frame.text(x0 + 6, y0 - 4, f"FT401 swing {figure(swing)}", "note bad")


def _flat(frame: Frame, job: Job, curve: Curve, evidence: dict) -> None:
    """FT301: how little lies between the first and the lowest level."""
    x, top = frame.at(frame.x.high, float(curve.loss[0]))
    low = frame.at(frame.x.high, float(curve.loss.min()))[1]
    frame.line(x - 3, top, x - 3, low, "evidence", ' marker-end="url(#arrow)"')
    frame.text(
        x - 12, (top + low) / 2 - 8, f"FT301 fell {float(evidence.get('learned') or 0):.1%}", "note bad end"
    )


def _broke(frame: Frame, job: Job, curve: Curve, evidence: dict) -> None:
    """FT402: where the last finite loss stands, if the curve ended as no number; else how far it rose."""
    if "ends_broken" not in evidence:
        _blew(frame, curve, evidence)
        return
    broken = finite(job.train) if evidence["ends_broken"] == "training" else curve
    if not len(broken):
        return
    since = evidence.get("zeros_from", float(broken.step.max()))
    x = frame.at(since, frame.y.low)[0]
    frame.line(x, frame.top, x, frame.height - frame.bottom, "evidence")
    left = x > frame.width / 2
    frame.text(
        x - 6 if left else x + 6,
        frame.height * 0.4,
        "FT402 no number from here",
        f"note bad{' end' if left else ''}",
    )


def _blew(frame: Frame, curve: Curve, evidence: dict) -> None:
    """From the first point, where the loss jumped and never came back to it, or from the lowest."""
    order = np.argsort(curve.step, kind="stable")
    step, loss = curve.step[order], curve.loss[order]
    i = int(np.argmin(loss)) if "train_rise" in evidence else 0
    if loss[-1] > loss[i]:
        _bracket(frame, (float(step[i]), float(loss[i])), float(loss[-1]), "FT402")


def _last_third(frame: Frame, job: Job, findings: Sequence[Finding]) -> None:
    """The last third of the steps, shaded once for all rules that look there, each with its figure."""
    told = [f"{f.rule} {LATE[f.rule](f.evidence)}" for f in findings if f.rule in LATE]
    if not told:
        return
    x0 = frame.at(frame.x.low + (frame.x.high - frame.x.low) * 2 / 3, frame.y.low)[0]
    x1, height = frame.width - frame.right, frame.height - frame.top - frame.bottom
    frame.parts.insert(
        0, f'<rect class="shade" x="{x0:g}" y="{frame.top:g}" width="{x1 - x0:g}" height="{height:g}"/>'
    )
    y = _free_height(frame, job, x1 - 6 - LETTER * max(map(len, told)), ROW * len(told))
    for i, words in enumerate(told):
        frame.text(x1 - 6, y + ROW * i, words, "note bad end")


def _free_height(frame: Frame, job: Job, left: float, height: float) -> float:
    """The highest place of the first of some lines of text, right of `left`, that no curve runs through."""
    crossed = [y for name in MARKS for x, y in _drawn(frame, finite(getattr(job, name))) if x >= left]
    if len(judged := judged_curve(job)):  # the level of the best has a line and a note of its own
        best = frame.at(frame.x.high, float(judged.loss.min()))[1]
        crossed += [best, best + ROW / 2, best + ROW]
    bottom = frame.height - frame.bottom - height
    places = np.arange(frame.top + 30, max(bottom, frame.top + 31), 5.0)
    return max(places, key=lambda top: (min((_away(y, top, height) for y in crossed), default=0), -top))


def _away(y: float, top: float, height: float) -> float:
    """Pixels between a point and lines of text whose first stands at `top`, up to what is enough."""
    return min(max(top - ROW - y, y - (top + height - ROW), 0.0), ROW / 2)


def _drawn(frame: Frame, curve: Curve) -> list[tuple[float, float]]:
    """The curve in pixels, with points between its own as near as a letter."""
    if not len(curve):
        return []
    order = np.argsort(curve.step, kind="stable")
    step = np.linspace(curve.step.min(), curve.step.max(), 100)
    return [
        frame.at(s, v)
        for s, v in zip(step, np.interp(step, curve.step[order], curve.loss[order]), strict=True)
    ]


def _share(evidence: dict) -> str:
    return f"{float(evidence.get('late_share') or 0):.0%} of the fall here"


def _pace(evidence: dict) -> str:
    return f"{float(evidence.get('pace') or 0):.0%} of the fall in the last fifth"


LATE = {
    "FT202": lambda e: f"rose by {figure(e.get('late_rise'))}",
    "FT302": _pace,
    "FT303": _share,
    "FT304": lambda e: f"fell by {figure(e.get('late_fall'))}",
    "FT306": lambda e: f"fell by {figure(e.get('late_fall'))}, ending at {figure(e.get('end'))}",
}
DRAW = {"FT201": _rise, "FT301": _flat, "FT401": _swing, "FT402": _broke}
