"""FT401: the validation loss swings without a trend."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.rule import TOO_FEW, Rule, Threshold, rate_of

RISE = Overfitting()


class Oscillating(Rule):
    """Swings of the validation loss that are large against all that it fell or rose.

    ## What it looks for
    `swing` = mean distance of the evaluations from the line that falls and then rises (nats per token). It fires
    where the swing is more than 24 % of what that line spans and more than 1.5 % of its lowest level; or where the
    curve ends above its best as FT201 sees it, by 24 % of the span too, but by less than 3 standard
    deviations, so that it may be luck.

    ## Why it matters
    Where the loss jumps from evaluation to evaluation, the last one is a matter of luck, and so is the model.

    ## Example
    Validation 1.5, 2.3, 1.2, 1.9, 0.9, 1.8, 1.0: swing 0.4 where the trend spans 0.3.

    ## What to change
    By the guide the learning rate, down, or the batch size, up.

    ## Risk of the change
    Both slow the learning. Where single batches are evaluated, the swings are the yardstick's own, not the model's.

    ## When it cannot tell
    With fewer than six finite validation losses.

    ## References
    The guide, learning rate "decrease if" and batch size "increase if"; Google's tuning playbook on late variance.
    """

    id = "FT401"
    name = "oscillating"
    guide = (
        "Learning rate: decrease if the model's loss fluctuates significantly.",
        "Batch size: increase if the loss is oscillating.",
    )
    of_span = Threshold(
        0.24,
        "share of the trend's span",
        "published curves read by eye: at most 0.17 steady, 0.30 and more not",
    )
    of_level = Threshold(0.015, "share of the lowest level", "smaller swings do not show beside the level")

    points = Threshold(6, "evaluations", "three ups and downs: fewer may be one outlier")

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        v = m.valid
        if v.n < self.points:
            return self.cannot_tell(f"{v.n} evaluations; swings show in {self.points:g} or more")
        limit = max(self.of_span * (v.top - v.best), self.of_level * abs(v.best))
        luck = RISE.of_noise * v.noise_of_level
        figures = {"swing": v.swing, "swing_limit": limit, "rise": v.rise, "rise_limit": luck}
        if v.swing > limit:
            return self.fires(m, f"evaluations lie {v.swing:.3g} from their trend on average", **figures)
        if max(RISE.to_the_eye(m), self.of_span * (v.top - v.best)) < v.rise <= luck:
            reason = f"a rise by {v.rise:.3g} that its noise ({v.noise:.3g} a point) may bring about"
            return self.fires(m, reason, **figures)
        return self.clear("the validation loss is steady", **figures)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"), Move("batch_size", "up"))
