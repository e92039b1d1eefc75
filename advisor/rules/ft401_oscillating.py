"""FT401: the validation loss swings without a trend."""

from __future__ import annotations

from math import sqrt

from advisor.measure import Measurements
from advisor.measure.shape import ABS_TO_SIGMA, PARTS
from advisor.nouns import Finding, Move
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.rule import TOO_FEW, Rule, Threshold, rate_of

RISE = Overfitting()


class Oscillating(Rule):
    """Swings of the validation loss that are large against all that it fell or rose.

    ## What it looks for
    `swing` = mean distance of the evaluations from the line that falls and then rises (nats per token), as a share of
    the line's span and of its mean level, without the loss before training: the geometric mean of both shares, above
    18 %. Where single batches are evaluated, and neighbours differ by as much as all do, of their means over sixteenths
    of the run, and by 1.5 times what their scatter leaves in a mean, for a batch scatters by itself. Or, of the whole
    set, a rise that FT201 would call one, and of 24 % of the span too, but of less than 3 standard deviations, so that
    it may be luck.

    ## Why it matters
    Where the loss jumps from evaluation to evaluation, the last one is a matter of luck, and so is the model.

    ## Example
    Validation 1.5, 2.3, 1.2, 1.9, 0.9, 1.8, 1.0: swing 0.32 (limit 0.22).

    ## What to change
    By the guide the learning rate, down, or the batch size, up.

    ## Risk of the change
    Both slow the learning. Where few single batches are evaluated, the swings may be the yardstick's own.

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
    swing = Threshold(
        0.18,
        "mean share (geometric) of span and level",
        "curves read by eye: at most 0.14 no, 0.25 and more yes; the middle by ratio",
    )
    of_span = Threshold(
        0.24, "share of the trend's span", "a smaller rise is none for the eye where the curve fell far"
    )
    wave = Threshold(
        1.5,
        "times the standard deviation that neighbours show",
        "made-up waves in 100 and more batches are told on 231 of 240 jobs; scatter is taken for one on at most 3 of 100, "
        "from 17 batches on",
    )
    points = Threshold(6, "evaluations", "three ups and downs: fewer may be one outlier")

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        v = m.valid
        if v.n < self.points:
            return self.cannot_tell(f"{v.n} evaluations; swings show in {self.points:g} or more")
        of, swing, limit = self._swings(m)
        figures = {"swing": swing, "swing_limit": limit}
        if swing > limit:
            return self.fires(m, f"{of} lie {swing:.3g} from their trend on average", **figures)
        seen = max(RISE.to_the_eye(m), self.of_span * (v.top - v.best))
        lucky = v.rise <= RISE.of_noise * v.noise_of_level
        if lucky and v.rise > seen and RISE.ahead(m) and m.valid_source != "valid_loss":
            reason = f"a rise by {v.rise:.3g} that its noise ({v.noise:.3g} a point) may bring about"
            return self.fires(m, reason, rise=v.rise, rise_limit=seen, noise=v.noise)
        return self.clear("the validation loss is steady", **figures)

    def _swings(self, m: Measurements) -> tuple[str, float, float]:
        """What swings, by how much, and the limit. The fall from before training, where known, would dwarf every swing.

        Single batches scatter by themselves; a wave goes beyond what neighbours differ by.
        """
        v = m.valid_trained or m.valid
        limit = self.swing * sqrt(max(v.top - v.best, 0.0) * abs(v.mean))
        if m.valid_source != "valid_loss":
            return "evaluations", v.swing, limit
        if v.n <= PARTS or ABS_TO_SIGMA * v.swing > self.wave * v.noise:
            return "single validation batches", v.swing, limit
        limit = max(limit, self.wave * v.noise_of_level / ABS_TO_SIGMA)
        return f"single validation batches, averaged over {PARTS}ths of the run,", v.swing_of_level, limit

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"), Move("batch_size", "up"))
