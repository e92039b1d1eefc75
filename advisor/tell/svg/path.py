"""The way that the jobs took through hyperparameter space, two knobs at a time, and where the proposal lies."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import hypot

from advisor.nouns import HyperParameters, Job
from advisor.tell.learned import end_loss
from advisor.tell.svg.frame import WIDE, Axis, Frame
from advisor.tell.words import KNOBS, figure, setting

DOT = 17  # pixels; dots nearer than this cover each other's numbers
# Where a dot may go instead, nearest first, those up and to the right before others.
BESIDE = sorted(
    ((14 * i, 10 * j) for i in range(-5, 6) for j in range(-5, 6)), key=lambda p: (hypot(*p), -p[0], p[1])
)
NEWEST = 15  # jobs that are drawn: of more their numbers and arrows cover each other
SHADES = 5  # classes of loss, by rank: q1 the best fifth


def path_chart(
    jobs: Sequence[Job],
    proposals: Sequence[HyperParameters],
    across: str,
    up: str,
    width: int = WIDE,
    ident: str = "path",
) -> str:
    """The NEWEST jobs numbered in their order over two knobs; empty where fewer than two settings are known."""
    points = [
        (i, getattr(j.hyperparameters, across), getattr(j.hyperparameters, up)) for i, j in enumerate(jobs, 1)
    ]
    points = [(i, x, y) for i, x, y in points[-NEWEST:] if _number(x) and _number(y)]
    wanted = [(getattr(h, across), getattr(h, up)) for h in proposals]
    wanted = [(x, y) for x, y in wanted if _number(x) and _number(y)]
    if len(points) + len(wanted) < 2 or not points:
        return ""
    frame = _frame([p[1:] for p in points] + wanted, across, up, width)
    frame.axes()
    places = apart([frame.at(x, y) for _, x, y in points], frame)
    _arrows(frame, places)
    for place in wanted:
        _proposal(frame, places[-1], frame.at(*place))
    shades = _shades(jobs)
    for (number, _, _), (x, y) in zip(points, places, strict=True):
        job = jobs[number - 1]
        frame.circle(
            x,
            y,
            11,
            f"job {shades[number]}",
            f"{job.id or number}: {setting(job.hyperparameters)}; {_ending(job)}",
        )
        frame.text(x, y + 4, str(number), f"number mid on-{shades[number]}")
    told = "; ".join(
        f"job {i} at {KNOBS[across]} {figure(x)}, {KNOBS[up]} {figure(y)}, {_ending(jobs[i - 1])}"
        for i, x, y in points
    )
    return frame.svg(f"Path over {KNOBS[across]} and {KNOBS[up]}", told, ident)


def _frame(points: Sequence[tuple[float, float]], across: str, up: str, width: int) -> Frame:
    axes = [_axis([p[k] for p in points], KNOBS[name]) for k, name in enumerate((across, up))]
    return Frame(*axes, width, 250 if width < 500 else 280, left=52, right=26, top=34)


def _axis(values: Sequence[float], name: str) -> Axis:
    """All knobs act by their ratio: the axis is logarithmic, and labelled at the values in use."""
    low, high = min(values), max(values)
    room = max((high / low) ** 0.12, 1.15)
    used = tuple(sorted(set(values)))
    return Axis(low / room, high * room, name, log=True, ticks=used if len(used) <= 8 else ())


def apart(
    places: Sequence[tuple[float, float]], frame: Frame, *, sideways: bool = False
) -> list[tuple[float, float]]:
    """Where each dot goes: its own place, or the nearest one around it that no earlier dot covers.

    `sideways` keeps the height, where that is the figure to be read.
    """
    out: list[tuple[float, float]] = []
    for x, y in places:
        around = [(x + dx, y + dy) for dx, dy in BESIDE if not (sideways and dy)]
        inside = [(u, v) for u, v in around if _inside(u, v, frame)] or [(x, y)]
        free = [p for p in inside if all(hypot(p[0] - u, p[1] - v) >= DOT for u, v in out)]
        out.append((free or inside)[0])
    return out


def _inside(x: float, y: float, frame: Frame) -> bool:
    return frame.left <= x <= frame.width - 10 and 10 <= y <= frame.height - frame.bottom


def _arrows(frame: Frame, places: Sequence[tuple[float, float]]) -> None:
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        _arrow(frame, (x0, y0), (x1, y1), "way")


def _arrow(frame: Frame, start: tuple[float, float], end: tuple[float, float], css: str) -> None:
    """A line from the rim of one dot to the rim of the next."""
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    if length < 30:  # the dots touch
        return
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    frame.line(
        round(x0 + 13 * ux, 1), round(y0 + 13 * uy, 1), round(x1 - 17 * ux, 1), round(y1 - 17 * uy, 1), css,
        f' marker-end="url(#{css}-tip)"',
    )  # fmt: skip


def _proposal(frame: Frame, start: tuple[float, float], place: tuple[float, float]) -> None:
    _arrow(frame, start, place, "next")
    frame.circle(*place, 13, "proposal", "the proposal")
    left = (start[0] > place[0] and place[0] > frame.left + 50) or place[
        0
    ] > frame.width - 70  # away from the arrow
    frame.text(
        place[0] + (-18 if left else 18), place[1] - 12, "next", f"note accent{' end' if left else ''}"
    )


def _ending(job: Job) -> str:
    loss = end_loss(job)
    return f"loss {figure(loss)}" if loss is not None else job.status if not job.succeeded else "no loss"


def _shades(jobs: Sequence[Job]) -> dict[int, str]:
    """The class of each job by the rank of its loss; "q0" where it has none."""
    losses = {i: loss for i, j in enumerate(jobs, 1) if (loss := end_loss(j)) is not None}
    ranked = sorted(losses, key=losses.__getitem__)
    steps = max(len(ranked) - 1, 1)
    return dict.fromkeys(range(1, len(jobs) + 1), "q0") | {
        i: f"q{1 + round(rank / steps * (SHADES - 1))}" for rank, i in enumerate(ranked)
    }


def _number(value: object) -> bool:
    return isinstance(value, int | float) and value > 0
