"""FT201: validation loss has risen from its best, above the noise."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import TOO_FEW, Rule, Threshold, rate_of


class Overfitting(Rule):
    """Validation loss stands above its best while training goes on.

    ## What it looks for
    `rise` = level of the last evaluations - lowest level (nats per token). It fires where the rise is more than 4 %
    of the lowest level, more than 3 % of all that the curve fell or rose, more than 3 standard deviations of a level
    as the curve's own noise gives them, and visible on a plot of both curves (0.5 % of what they span); and, unless the
    rise exceeds half of the lowest level, where training loss fell on meanwhile or lies 12 % below validation loss.

    ## Why it matters
    From the lowest point on the model learns its examples by heart, and gets worse on everything else.

    ## Example
    Validation 0.46, 0.24, 0.18, 0.21, 0.26: risen by 45 % from 0.18 (limit 4 %).

    ## What to change
    The number of epochs, down, or the learning rate, down. The checkpoint at the lowest point may serve meanwhile.

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
    of_best = Threshold(
        0.04,
        "share of the lowest level",
        "Prechelt's GL4 to GL5; published curves read by eye: 2 % no, 6 % yes",
    )
    of_range = Threshold(
        0.03, "share of all that the line falls or rises", "less is flat on a plot; by eye: 0.01 no, 0.29 yes"
    )
    of_noise = Threshold(3.0, "standard deviations of a level", "one in a thousand by chance")
    visible = Threshold(0.005, "share of the span of both curves", "about the width of a line on a plot")

    by_heart = Threshold(
        0.12, "share of the loss", "noise on a flat end: up to 0.1; published overfitting: 0.25 and more"
    )
    whatever = Threshold(0.5, "share of the lowest level", "so large a rise is none of the noise's")

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        v = m.valid
        limit = max(
            self.of_best * abs(v.best),
            self.of_range * (v.top - v.best),
            self.of_noise * v.noise_of_level,
            self.visible * m.span,
        )
        figures = {
            "rise_above_best": v.rise,
            "limit": limit,
            "best": v.best,
            "best_step": v.best_step,
            "end": v.end,
        }
        if v.rise <= limit:
            return self.clear("validation loss stays near its best", **figures)
        if m.by_heart is not None:
            figures |= {"by_heart": m.by_heart, "by_heart_limit": self.by_heart}
            if m.by_heart <= self.by_heart and v.rise <= self.whatever * abs(v.best):
                return self.clear("validation loss rose, but training does no better", **figures)
        reason = f"validation loss rose from {v.best:.4g} (step {v.best_step:g}) to {v.end:.4g}"
        return self.fires(m, reason, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "down"), Move(rate_of(m), "down"))
