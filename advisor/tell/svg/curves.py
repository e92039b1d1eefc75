"""One job's curves, with the evidence of the rules that fired drawn on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.nouns import Curve, Finding, Job
from advisor.tell.svg.evidence import draw_evidence
from advisor.tell.svg.frame import WIDE, Axis, Frame, padded
from advisor.tell.terminal_plot import HUGE, LOG_FROM, MARKS, finite, limits
from advisor.tell.words import figure, join, words

FEW = 30  # so many training points are drawn as they are
BUCKETS = 120  # of more points so many places are drawn
WINDOWS = 40  # at each place the points around it count: two in so many of all
EPOCH_LINES = 30  # more boundaries than this would be a hatching


def curves_chart(job: Job, findings: Sequence[Finding] = (), width: int = WIDE, ident: str = "curves") -> str:
    """The chart; empty where the job has no finite loss."""
    curves = {name: c for name in MARKS if len(c := finite(getattr(job, name)))}
    if not curves:
        return ""
    frame = _frame(job, curves, width)
    frame.axes()
    _epochs(frame, job)
    if job.base_valid_loss is not None:
        _base(frame, job.base_valid_loss)
    for name, curve in curves.items():
        DRAW[name](frame, curve, job.unit)
    draw_evidence(frame, job, findings)
    return frame.svg(f"Loss curves of {job.id or 'the job'}", _description(job, curves, findings), ident)


def _frame(job: Job, curves: dict[str, Curve], width: int) -> Frame:
    low, high = limits(curves)
    if job.base_valid_loss is not None:
        low, high = min(low, job.base_valid_loss), max(high, job.base_valid_loss)
    steps = np.concatenate([getattr(job, name).step for name in curves])  # of losses that are no number too
    steps = steps[np.abs(steps) < HUGE]
    log = low > 0 and high / low > LOG_FROM
    y = padded(low, high, "loss (nats per token)", log)
    return Frame(
        Axis(
            min(float(steps.min()), 0.0),
            float(steps.max()),
            "epoch" if job.unit == "epoch" else "optimiser step",
        ),
        y,
        width,
        250 if width < 500 else 320,
        top=34,
    )


def _epochs(frame: Frame, job: Job) -> None:
    spe = job.steps_per_epoch
    if not spe or spe <= 0 or frame.x.high / spe > EPOCH_LINES:
        return
    for k in range(1, int(frame.x.high / spe + 1e-9) + 1):
        x = frame.at(k * spe, frame.y.low)[0]
        frame.line(x, frame.top, x, frame.height - frame.bottom, "epoch")


def _base(frame: Frame, loss: float) -> None:
    x, y = frame.at(frame.x.high, loss)
    frame.line(frame.left, y, x, y, "base")
    frame.text((frame.left + x) / 2, y - 5, f"before tuning {figure(loss)}", "note mid")


def _train(frame: Frame, curve: Curve, unit: str) -> None:
    """Where there are many points, their middle four fifths as an area and their running mean as a line."""
    order = np.argsort(curve.step, kind="stable")
    step, loss = curve.step[order], curve.loss[order]
    if len(step) == 1:
        frame.circle(
            *frame.at(step[0], loss[0]),
            2.6,
            "train-dot",
            f"training {figure(loss[0])} at {unit} {figure(step[0])}",
        )
    if len(step) <= FEW:
        frame.polyline(zip(step, loss, strict=True), "train")
        return
    middle, mean, low, high = [], [], [], []
    half = max(len(step) // WINDOWS, 2)
    for i in np.unique(np.linspace(0, len(step) - 1, BUCKETS).astype(int)):
        around = loss[max(i - half, 0) : i + half + 1]
        middle.append(step[i])
        mean.append(around.mean())
        low.append(np.quantile(around, 0.1))
        high.append(np.quantile(around, 0.9))
    frame.area(list(zip(middle, high, strict=True)), list(zip(middle, low, strict=True)), "train-range")
    frame.polyline(zip(middle, mean, strict=True), "train")


def _valid(frame: Frame, curve: Curve, unit: str) -> None:
    keep = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), BUCKETS)).astype(int))
    for step, loss in zip(curve.step[keep], curve.loss[keep], strict=True):
        frame.circle(
            *frame.at(step, loss), 2.6, "valid", f"validation batch {figure(loss)} at {unit} {figure(step)}"
        )


def _full_valid(frame: Frame, curve: Curve, unit: str) -> None:
    order = np.argsort(curve.step, kind="stable")
    points = list(zip(curve.step[order], curve.loss[order], strict=True))
    frame.polyline(points, "full")
    for step, loss in points if len(points) <= BUCKETS else ():
        frame.circle(
            *frame.at(step, loss), 4, "full-dot", f"validation {figure(loss)} at {unit} {figure(step)}"
        )


DRAW = {"train": _train, "valid": _valid, "full_valid": _full_valid}


def _description(job: Job, curves: dict[str, Curve], findings: Sequence[Finding]) -> str:
    told = [
        f"{words(name)} loss from {figure(c.loss[0])} at {job.unit} {figure(c.step[0])} to {figure(c.loss[-1])} "
        f"at {job.unit} {figure(c.step[-1])}, lowest {figure(c.loss.min())}"
        for name, c in curves.items()
    ]
    fired = [f"{f.rule} {words(f.name)}: {f.reason}" for f in findings if f.fires]
    return f"{'; '.join(told)}. {join(fired) or 'No rule fires'}."
