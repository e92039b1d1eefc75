"""FT201: validation loss has risen from its best, above the noise."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import Rule, Threshold, rate_of


class Overfitting(Rule):
    """Validation loss stands above its best while training goes on.

    ## What it looks for
    `rise` = level of the last evaluations - lowest level (nats per token). It fires where the rise is more than 4 %
    of the lowest level, more than 4 standard deviations of such a level, and visible on a plot of both curves
    (0.5 % of all that they span).

    ## Why it matters
    From the lowest point on the model learns its examples by heart, and gets worse on everything else.

    ## Example
    Validation 0.46, 0.24, 0.18, 0.21, 0.26: risen by 45 % from 0.18 (limit 4 %).

    ## What to change
    The number of epochs, down. The checkpoint at the lowest point may serve meanwhile.

    ## Risk of the change
    Under a rate that decays to zero a shorter run is not the beginning of a longer one, and may stop short.

    ## When it cannot tell
    With fewer than three finite validation losses.

    ## References
    Prechelt, "Early stopping - but when?" (1998): generalisation loss; the guide, number of epochs and learning
    rate, "decrease if".
    """

    id = "FT201"
    name = "overfitting"
    guide = (
        "Epochs: decrease if the model performs well on training data but poorly on evaluation data.",
        "Learning rate: decrease if it shows signs of overfitting.",
    )
    rise = Threshold(
        0.04, "share of the lowest level", "Prechelt's GL4: 4 to 5 % separates published curves read by eye"
    )
    clearly = Threshold(
        4.0, "standard deviations of a level", "the lowest of 16 noisy levels lies 2 to 3 below the rest"
    )
    visible = Threshold(0.005, "share of the span of both curves", "about the width of a line on a plot")

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell("fewer than 3 finite validation losses")
        v = m.valid
        limit = max(self.rise * abs(v.best), self.clearly * v.noise_of_level, self.visible * m.span)
        figures = {
            "rise_above_best": v.rise,
            "limit": limit,
            "best": v.best,
            "best_step": v.best_step,
            "end": v.end,
        }
        if v.rise <= limit:
            return self.clear("validation loss stays near its best", **figures)
        reason = f"validation loss rose from {v.best:.4g} (step {v.best_step:g}) to {v.end:.4g}"
        return self.fires(m, reason, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "down"),)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "down"), Move(rate_of(m), "down"))
