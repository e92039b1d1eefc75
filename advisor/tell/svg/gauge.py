"""A figure beside its limit as a small bar."""

from __future__ import annotations

import math

from advisor.nouns import Finding


def gauges(finding: Finding) -> list[tuple[str, float, float]]:
    """Pairs of figure and limit that a bar can show: [(name, figure, limit)], finite, not negative and not both 0."""
    evidence = finding.evidence
    limits = {k: v for k, v in evidence.items() if k == "limit" or k.endswith("_limit")}
    names = [k for k in evidence if k not in limits]
    pairs = [(name, evidence[name], limits.get(f"{name}_limit")) for name in names]
    if names and "limit" in limits:
        pairs[0] = (names[0], evidence[names[0]], limits["limit"])
    return [
        (name, float(v), float(lim)) for name, v, lim in pairs if _usable(v) and _usable(lim) and v + lim > 0
    ]


def gauge(value: float, limit: float, fires: bool) -> str:
    """The bar: filled up to the figure, a stroke at the limit. Said in words elsewhere, so hidden from readers."""
    full = 1.15 * max(value, limit)
    fill, mark = 120 * value / full, 120 * limit / full
    css = "bad" if fires else "good"
    return (
        '<svg class="gauge" viewBox="0 0 120 14" aria-hidden="true"><rect class="rail" y="4" width="120" height="6" rx="3"/>'
        f'<rect class="fill {css}" y="4" width="{fill:.1f}" height="6" rx="3"/>'
        f'<line class="limit" x1="{mark:.1f}" x2="{mark:.1f}" y1="0" y2="14"/></svg>'
    )


def _usable(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    )
