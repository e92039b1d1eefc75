"""The validation losses of all jobs over their epochs, in one chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Curve, Job
from advisor.tell.learned import best_point, comparable_curve
from advisor.tell.svg.frame import WIDE, Axis, Frame, padded, pressed
from advisor.tell.words import figure

NAMED = 12  # of more jobs the best and the newest alone are named at their line


def compare_chart(jobs: Sequence[Job], width: int = WIDE, ident: str = "compare") -> str:
    """One line a job: the best and the newest stand out; empty with fewer than two curves."""
    lines = {i: c for i, j in enumerate(jobs, 1) if len(c := _with_base(j))}
    if len(lines) < 2:
        return ""
    losses = np.concatenate([c.loss for c in lines.values()])
    low, high = float(losses.min()), float(losses.max())
    log = pressed(low, high)
    last = max(float(c.step.max()) for c in lines.values())
    epochs = all(_epochs(j) for j in jobs)
    y = padded(low, high, "validation loss", log)
    frame = Frame(
        Axis(0, last, "epoch" if epochs else "optimiser step"),
        y,
        width,
        240 if width < 500 else 300,
        right=34,
        top=34,
    )
    frame.axes()
    best = min((i for i in lines if best_point(jobs[i - 1])), key=lambda i: best_point(jobs[i - 1])[1])
    for i in sorted(lines, key=lambda i: (i == best, i == len(jobs))):
        _draw(frame, i, lines[i], _css(i, best, len(jobs)))
    ends = {i: frame.at(c.step[-1], c.loss[-1]) for i, c in lines.items()}
    named = {i: at for i, at in ends.items() if len(ends) <= NAMED or i in (best, len(jobs))}
    _name_ends(frame, named, best, len(jobs))
    told = "; ".join(f"job {i} ends at {figure(c.loss[-1])}" for i, c in lines.items())
    return frame.svg("Validation loss of all jobs", told, ident)


def _draw(frame: Frame, number: int, curve: Curve, css: str) -> None:
    points = list(zip(curve.step, curve.loss, strict=True))
    frame.polyline(points, css)
    for p in points:
        frame.circle(*frame.at(*p), 2.6, f"{css} dot", f"job {number}: {figure(p[1])}")


def _name_ends(frame: Frame, ends: dict[int, tuple[float, float]], best: int, newest: int) -> None:
    """Each job's number beside its last point, moved up where another number stands there."""
    placed: list[tuple[float, float]] = []
    for i, (x, y) in sorted(ends.items(), key=lambda e: -e[1][1]):
        while any(abs(x - px) < 20 and abs(y - py) < 12 for px, py in placed):
            y -= 3
        placed.append((x, y))
        frame.text(x + 6, y + 4, str(i), f"note {_css(i, best, newest)}-text")


def _css(number: int, best: int, newest: int) -> str:
    return "line-best" if number == best else "line-new" if number == newest else "line-old"


def _with_base(job: Job) -> Curve:
    """The comparable curve over epochs, the loss before tuning as its point at 0."""
    curve = comparable_curve(job)
    if not len(curve):
        return curve
    order = np.argsort(curve.step, kind="stable")
    x = curve.step[order] / (_epochs(job) or 1)
    loss = curve.loss[order]
    if job.base_valid_loss is not None and x[0] > 0:
        x, loss = np.insert(x, 0, 0.0), np.insert(loss, 0, job.base_valid_loss)
    return Curve(x, loss)


def _epochs(job: Job) -> float | None:
    """Steps per epoch, where it is known."""
    if job.steps_per_epoch:
        return job.steps_per_epoch
    n, curve = job.hyperparameters.n_epochs, comparable_curve(job)
    return (
        float(curve.step.max()) / n
        if isinstance(n, int | float) and len(curve) and curve.step.max() > 0
        else None
    )
