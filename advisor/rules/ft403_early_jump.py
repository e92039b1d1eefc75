"""FT403: the training loss first jumped up."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import Rule, Threshold, rate_of


class EarlyJump(Rule):
    """The first steps made the model worse before it learned.

    ## What it looks for
    `jump` = highest level of the training loss, where that stands in the first half of the steps, over its first
    point, as a share of that; above 8 %, and above three standard deviations of a point.

    ## Why it matters
    Steps that long drive the model away from what it knew. It may learn again afterwards, but from further off, and
    a job that recovers looks like one that merely learns slowly.

    ## Example
    Training 2.6, 3.9, 4.8, 3.7, 3.1, 2.9: a jump of 85 % (limit 31 %, for so few points show no less noise).

    ## What to change
    The learning rate, down.

    ## Risk of the change
    Little: a warm-up, where the provider has one, would do the same at the old rate.

    ## When it cannot tell
    With fewer than three finite training losses.

    ## References
    Google's tuning playbook: unstable early, warm up; NVIDIA NeMo AutoModel's guide: spikes, learning rate / 2 to 5.
    The guide is silent.
    """

    id = "FT403"
    name = "early-jump"
    guide = ()
    jump = Threshold(
        0.08,
        "share of the first point",
        "on 39 tables a lower rate helps on 237 of 240 jobs above it, on 58 of 184 between 2 % and it",
    )
    clearly = Threshold(
        3.0, "standard deviations of a point", "on 39 tables a lower rate helps on 72 of 115 jobs below it"
    )

    def look(self, m: Measurements) -> Finding:
        if m.train is None:
            return self.cannot_tell("fewer than 3 finite training losses")
        t = m.train
        limit = max(self.jump, self.clearly * t.noise / abs(t.first) if t.first else 0.0)
        figures = {"jump": t.jump, "limit": limit, "first": t.first, "peak": t.peak}
        if t.jump <= limit:
            return self.clear("training loss does not jump at the beginning", **figures)
        return self.fires(m, f"training loss first rose from {t.first:.4g} to {t.peak:.4g}", **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"),)
