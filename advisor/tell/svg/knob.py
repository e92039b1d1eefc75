"""What one knob did: each job's last loss over the knob's value, jobs that differ in it alone joined by a line."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.nouns import Job
from advisor.tell.learned import Effect, comparable, end_loss
from advisor.tell.svg.frame import Frame, padded_apart
from advisor.tell.svg.path import _axis, _number, apart
from advisor.tell.words import KNOBS, figure

SIZE = (344, 220)  # pixels; one size, for it stands in a column of its own


def knob_chart(jobs: Sequence[Job], knob: str, effects: Sequence[Effect], ident: str) -> str:
    """The chart; empty where fewer than two jobs that can be compared tell the knob and the loss that they ended with."""
    points = {
        i: (value, loss)
        for i, j in comparable(jobs)
        if _number(value := getattr(j.hyperparameters, knob)) and (loss := end_loss(j)) is not None
    }
    if len(points) < 2:
        return ""
    frame = Frame(
        _axis([v for v, _ in points.values()], KNOBS[knob]),
        padded_apart([loss for _, loss in points.values()], "last validation loss"),
        *SIZE, right=20, top=34,
    )  # fmt: skip
    frame.axes()
    places = dict(
        zip(points, apart([frame.at(*p) for p in points.values()], frame, sideways=True), strict=True)
    )
    for e in effects:
        frame.line(
            *places[e.first],
            *places[e.second],
            "pair better" if e.loss_after < e.loss_before else "pair worse",
        )
    for i, (x, y) in places.items():
        frame.circle(x, y, 9, "job plain", f"job {i}: {figure(points[i][1])}")
        frame.text(x, y + 4, str(i), "number mid")
    told = "; ".join(e.sentence(None) for e in effects) or "no two jobs differ in this knob alone"
    return frame.svg(f"Loss over {KNOBS[knob]}", told, ident)
