"""FT201: validation loss has risen from its best, above the noise."""

from __future__ import annotations

from math import sqrt

from advisor.measure import Measurements, Shape
from advisor.nouns import Finding, Move
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.rule import TOO_FEW, Rule, Threshold, rate_of

NOISE = "neither curve is told from noise around one level"
BATCHES = "validation loss rose by no more than single batches scatter, and too few were evaluated (FT102)"
BARELY_AHEAD = "right on 21 of 34 jobs whose training is not well ahead"  # on 39 tables


class Overfitting(Rule):
    """Validation loss stands above its best while training goes on.

    ## What it looks for
    `rise` = level of the last evaluations - lowest level (nats per token). It fires where the rise is
    - a large share of the lowest level or of the range that the curve fell and rose: their geometric mean, above 6 %;
    - above 2.5 % of the lowest level;
    - above 3 standard deviations of a level, as the curve's own noise gives them;
    - visible on a plot of both curves: above 0.5 % of what they span;
    - and, unless it exceeds half of the lowest level, beside a training loss that fell on or lies 8 % below;
      of fewer than 9 evaluations below the lowest of them, since the last may stand high by chance.

    Not where the loss blew up (FT402): that is no learning by heart.

    ## Why it matters
    From the lowest point on the model learns its examples by heart, and gets worse on everything else.

    ## Example
    Validation 0.46, 0.24, 0.18, 0.21, 0.26: risen by 0.08 above 0.18 (limit 0.0135).

    ## What to change
    The number of epochs, down; where training is well ahead of validation (`by_heart` above 40 %) or nothing is known of
    it, the learning rate too. The checkpoint at the lowest point may serve meanwhile.

    ## Risk of the change
    Under a rate that decays to zero a shorter run is not the beginning of a longer one, and may stop short.

    ## When it cannot tell
    With fewer than three finite validation losses, where neither curve is told from noise around one level, or where
    fewer than ten single batches were evaluated and rose by less than four standard deviations of a training point.

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
    seen = Threshold(
        0.06,
        "mean share (geometric) of lowest level and range",
        "published curves read by eye: at most 0.014 no, 0.15 and more yes; the middle between them by ratio",
    )
    of_best = Threshold(
        0.025, "share of the lowest level", "what another batch changes where three points show no noise"
    )
    of_noise = Threshold(3.0, "standard deviations of a level", "one in a thousand by chance")
    visible = Threshold(0.005, "share of the span of both curves", "about the width of a line on a plot")

    by_heart = Threshold(
        0.08,
        "share of the loss",
        "as FT305: training is ahead of validation; published overfitting: 0.11 and more",
    )
    well_ahead = Threshold(
        0.4,
        "share of the loss",
        "on 39 tables a lower rate helps on 248 of 252 jobs above it, on 21 of 34 below",
    )
    few = Threshold(
        9,
        "evaluations",
        "of made-up jobs that only level off, 3 to 8 noisy evaluations, 13 % are told as overfitting with it, 20 % without",
    )
    whatever = Threshold(0.5, "share of the lowest level", "so large a rise is none of the noise's")

    def to_the_eye(self, m: Measurements) -> float:
        """The rise from which on the eye calls it one, be it noise or not (nats per token)."""
        v = m.valid
        mean_share = self.seen * sqrt(abs(v.best) * (v.top - v.best))
        return max(mean_share, self.of_best * abs(v.best), self.visible * m.span)

    def ahead(self, m: Measurements) -> bool:
        """Whether training does better than validation, as far as is known, or the rise needs no such witness."""
        if m.by_heart is None or m.valid.rise > self.whatever * abs(m.valid.best):
            return True
        return m.by_heart > self.by_heart and (m.valid.n >= self.few or self._ahead_of_the_lowest(m))

    def _ahead_of_the_lowest(self, m: Measurements) -> bool:
        """Of few evaluations the last stands high by chance: training must lie below the lowest, or fall on from there."""
        best, end, then = m.valid.best, m.train.end, m.train.at(m.valid.best_step)
        return best - end > self.by_heart * abs(best) or then - end > self.by_heart * abs(then)

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        v = m.valid
        limit = max(self.to_the_eye(m), self.of_noise * v.noise_of_level)
        figures = {
            "rise_above_best": v.rise,
            "limit": limit,
            "best": v.best,
            "best_step": v.best_step,
            "end": v.end,
        }
        if v.rise <= limit:
            return self.clear("validation loss stays near its best", **figures)
        if not m.told:
            return self.cannot_tell(NOISE)
        if Diverged().holds(m):  # on 39 tables fewer epochs help on 35 of 68 such jobs, on 269 of 275 others
            return self.clear("the loss blew up (FT402), which is no learning by heart", **figures)
        figures |= {"by_heart": m.by_heart, "by_heart_limit": self.by_heart}
        if not self.ahead(m):
            return self.clear("validation loss rose, but training does no better", **figures)
        if m.batch_scatter is not None and v.rise <= m.batch_scatter:
            return self.cannot_tell(BATCHES)
        return self.fires(m, f"validation loss rose from {_lowest(v, m.unit)} to {v.end:.4g}", **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        fewer = (Move("n_epochs", "down"),)
        return (*fewer, Move(rate_of(m), "down")) if self._well_ahead(m) else fewer

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return () if self._well_ahead(m) else (Move(rate_of(m), "down", measured=BARELY_AHEAD),)

    def _well_ahead(self, m: Measurements) -> bool:
        return m.by_heart is None or m.by_heart > self.well_ahead


def _lowest(v: Shape, unit: str) -> str:
    """The lowest level, and the lowest evaluation beside it where noise parts them: the log and `keep` name that one."""
    level, point = f"{v.best:.4g}", f"{v.lowest:.4g}"
    if level == point and v.best_step == v.lowest_step:
        return f"{level} ({unit} {v.best_step:g})"
    told = f"a level of {level} around {unit} {v.best_step:.4g}"
    last = v.lowest_step >= v.step[-1]  # the last evaluation is lowest: an outlier
    return told if last else f"{told} (lowest evaluation {point} at {unit} {v.lowest_step:g})"
