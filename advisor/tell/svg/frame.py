"""A plotting area: data to pixels, axes with ticks, and the SVG around it. Knows nothing of jobs or rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from advisor.tell.words import figure

PRESSED = (
    4.0  # highest over lowest loss of several jobs: from here on a linear axis presses the good ones together
)
SMALLEST = 1e-100  # a loss below it is 0 in all but name, and its logarithm stretches an axis beyond use
# Pixels that a character of a tick's label is wide and a line of text is high, at most.
DIGIT, LINE = 7.5, 13.0
WIDE, NARROW = 720, 344  # pixels; narrow fits a screen of 400 with its margins


@dataclass(frozen=True)
class Axis:
    """One axis in data units. `ticks` overrides the round values chosen otherwise."""

    low: float
    high: float
    name: str = ""
    log: bool = False
    ticks: tuple[float, ...] = ()

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end; beyond the ends it is held there."""
        low, high, v = (math.log(max(u, 1e-300)) if self.log else u for u in (self.low, self.high, value))
        if not high > low:
            return 0.5
        return min(max((v - low) / (high - low), 0.0), 1.0)

    def marks(self, most: int) -> list[float]:
        """At most about `most` values to label."""
        if self.ticks:
            every = math.ceil(len(self.ticks) / most)
            return list(self.ticks[::every])
        return _log_ticks(self.low, self.high) if self.log else _round_ticks(self.low, self.high, most)


def padded(low: float, high: float, name: str, log: bool) -> Axis:
    """An axis with a little room at both ends; one of losses does not go below 0 for it."""
    if log:
        return Axis(low / 1.1, high * 1.1, name, log)
    room = 0.05 * (high - low or 1)
    return Axis(max(low - room, 0.0) if low >= 0 else low - room, high + room, name)


def pressed(low: float, high: float) -> bool:
    """Whether the losses of several jobs call for a logarithmic axis."""
    return low > SMALLEST and high / low > PRESSED


def padded_apart(losses: Sequence[float], name: str) -> Axis:
    """An axis on which jobs can be told apart: one that blew up does not press all others together."""
    low, high = min(losses), max(losses)
    if pressed(low, high):
        room = (high / low) ** 0.12
        return Axis(low / room, high * room, name, log=True)
    room = 0.12 * (high - low or 1)
    return Axis(low - room, high + room, name)


@dataclass
class Frame:
    """Collects the parts of one chart."""

    x: Axis
    y: Axis
    width: int = WIDE
    height: int = 300
    left: int = 46
    right: int = 14
    top: int = 12
    bottom: int = 36
    parts: list[str] = field(default_factory=list)

    @property
    def narrow(self) -> bool:
        return self.width < 500

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point in data units."""
        across = self.left + self.x.share(x) * (self.width - self.left - self.right)
        down = self.height - self.bottom - self.y.share(y) * (self.height - self.top - self.bottom)
        return round(across, 1), round(down, 1)

    def axes(self) -> None:
        x0, x1, y0, y1 = self.left, self.width - self.right, self.height - self.bottom, self.top
        up = [(self.at(self.x.low, v)[1], told) for v, told in _labels(self.y.marks(5))]
        for y, told in _readable(up, lambda told: LINE):
            self.line(x0, y, x1, y, "grid")
            self.text(x0 - 6, y + 4, told, "tick end")
        across = [
            (self.at(v, self.y.low)[0], told) for v, told in _labels(self.x.marks(4 if self.narrow else 8))
        ]
        for x, told in _readable(across, lambda told: DIGIT * (len(told) + 1)):
            self.line(x, y0, x, y0 + 4, "axis")
            self.text(x, y0 + 16, told, "tick mid")
        self.line(x0, y0, x1, y0, "axis")
        self.text((x0 + x1) / 2, self.height - 4, self.x.name, "name mid")
        if self.y.name:
            self.text(4, y1 - 14, self.y.name, "name")

    def line(self, x0: float, y0: float, x1: float, y1: float, css: str, extra: str = "") -> None:
        self.parts.append(f'<line class="{css}" x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}"{extra}/>')

    def polyline(self, points: Iterable[tuple[float, float]], css: str) -> None:
        """A line through points in data units."""
        path = " ".join(f"{x:g},{y:g}" for x, y in (self.at(*p) for p in points))
        self.parts.append(f'<polyline class="{css}" points="{path}"/>')

    def area(
        self, upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], css: str
    ) -> None:
        path = " ".join(f"{x:g},{y:g}" for x, y in (self.at(*p) for p in (*upper, *reversed(lower))))
        self.parts.append(f'<polygon class="{css}" points="{path}"/>')

    def circle(self, x: float, y: float, radius: float, css: str, tip: str = "") -> None:
        """A dot in pixels; `tip` shows when it is pointed at."""
        inside = f"<title>{escape(tip)}</title>" if tip else ""
        self.parts.append(f'<circle class="{css}" cx="{x:g}" cy="{y:g}" r="{radius:g}">{inside}</circle>')

    def text(self, x: float, y: float, words: str, css: str) -> None:
        self.parts.append(f'<text class="{css}" x="{x:g}" y="{y:g}">{escape(words)}</text>')

    def svg(self, title: str, description: str, ident: str) -> str:
        """The whole chart with the words that a screen reader reads."""
        size = "narrow" if self.narrow else "wide"
        ident = f"{ident}-{size}"
        return (
            f'<svg class="chart {size}" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{escape(title)}</title>'
            f'<desc id="{ident}-d">{escape(description)}</desc>{"".join(self.parts)}</svg>'
        )


def _labels(values: Sequence[float]) -> list[tuple[float, str]]:
    """Each value with its text: three digits, or as many more as tell the values apart."""
    texts = next(
        (t for n in (3, 4, 5) if len(set(t := [figure(v, n) for v in values])) == len(t)),
        [figure(v, 6) for v in values],
    )
    return list(zip(values, texts, strict=True))


def _readable(labels: Sequence[tuple[float, str]], size: Callable[[str], float]) -> list[tuple[float, str]]:
    """The (place, label) along an axis that do not overlap, each `size` pixels long; the first of two stays."""
    kept: list[tuple[float, str]] = []
    for place, told in labels:
        if all(abs(place - other) >= (size(told) + size(there)) / 2 for other, there in kept):
            kept.append((place, told))
    return kept


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values inside [low, high] in steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    raw = (high - low) / max(most, 1)
    power = 10 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, or of two where the axis spans less than two tens."""
    base = 10 if high / low >= 100 else 2
    first, last = math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9)
    return [float(base) ** k for k in range(first, last + 1)] or [low, high]
