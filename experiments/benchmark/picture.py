"""Draws the mean regret after each job, a line a method, as SVG that needs no library to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from experiments.benchmark.loops import JOBS, Loop

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 64, 200, 44, 48
LOWEST, HIGHEST = 0.001, 0.5  # of the regret axis
OURS, PEERS = (
    "#0b6e4f",
    ("#b23a48", "#d98324", "#5b6c9d", "#8a6fa8", "#7a7a7a", "#b59a57", "#4f9aa8", "#a0522d"),
)


def draw(loops: Mapping[str, Sequence[Loop]], ours: str) -> str:
    """SVG text; `loops` by method, `ours` is the one drawn thick."""
    parts = [_frame()]
    names = sorted(loops, key=lambda n: _curve(loops[n])[4], reverse=True)
    ends = _spread([(_y(_curve(loops[n])[-1]), n) for n in names])
    for i, name in enumerate(names):
        color, thick = (OURS, 3.5) if name == ours else (PEERS[i % len(PEERS)], 1.5)
        points = " ".join(f"{_x(j + 1):.1f},{_y(r):.1f}" for j, r in enumerate(_curve(loops[name])))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{thick}"/>')
        weight = "bold" if name == ours else "normal"
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{ends[name] + 4:.1f}" fill="{color}" font-weight="{weight}">{name}</text>'
        )
    style = 'font-family="system-ui, sans-serif" font-size="12"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _curve(loops: Sequence[Loop]) -> list[float]:
    return [sum(min(x.regrets[j], 1.0) for x in loops) / len(loops) for j in range(JOBS)]


def _x(job: float) -> float:
    return LEFT + (job - 1) / (JOBS - 1) * (WIDTH - LEFT - RIGHT)


def _y(regret: float) -> float:
    share = math.log(max(regret, LOWEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return HEIGHT - BOTTOM - min(share, 1.0) * (HEIGHT - TOP - BOTTOM)


def _spread(ends: list[tuple[float, str]], apart: float = 14) -> dict[str, float]:
    """Label heights in order, at least `apart` from each other, all inside the frame."""
    out, last = {}, -math.inf
    room = HEIGHT - BOTTOM
    for i, (y, name) in enumerate(sorted(ends)):
        last = max(min(y, room - apart * (len(ends) - 1 - i)), last + apart)
        out[name] = last
    return out


def _frame() -> str:
    lines = [
        f'<text x="{LEFT}" y="24" font-size="14">Share of the attainable gain still missing, after each job</text>'
    ]
    for value in (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        y, dash = _y(value), ' stroke-dasharray="5 4"' if value == 0.02 else ""
        shade = "#888" if value == 0.02 else "#e4e4e4"
        lines.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{shade}"{dash}/>'
        )
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.1%}</text>')
    for job in range(1, JOBS + 1):
        lines.append(f'<text x="{_x(job):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{job}</text>')
    lines.append(f'<text x="{_x(7.5):.1f}" y="{HEIGHT - 10}" text-anchor="middle">jobs</text>')
    return "\n".join(lines)
