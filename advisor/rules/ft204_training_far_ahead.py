"""FT204: training does far better than validation, which gains no more."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_validation
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft302_still_falling import StillFalling
from advisor.rules.ft304_not_converged import NotConverged
from advisor.rules.rule import Rule, Threshold


class TrainingFarAhead(Rule):
    """What the last passes taught stays with the training examples: validation neither gained by it nor suffered yet.

    ## What it looks for
    `by_heart`, by how much training does better than validation (a share, as in FT201), above 40 %; while the
    validation loss fell over the last third of the steps by less than 1 % of its last level, and by no more than FT304
    lets pass as rest. Not where it still falls at the end (FT302), nor where it rose so far that FT201 fires.

    ## Why it matters
    The passes since then are paid for, and bring nothing. Where the two curves never meet from the first evaluation
    on, see whether the training examples resemble the validation examples at all.

    ## Example
    Training 2.0, 1.2, 0.7, 0.4 beside validation 2.0, 1.99, 2.0, 2.0: by heart 80 % (limit 40 %), late fall 0 (limit
    0.0006).

    ## What to change
    By the guide the number of epochs, down.

    ## Risk of the change
    On 39 tables fewer epochs lower the final loss on half of such jobs only: what they surely save is time.

    ## When it cannot tell
    With fewer than three finite losses on either curve, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, number of epochs, "decrease if".
    """

    id = "FT204"
    name = "training-far-ahead"
    guide = ("Epochs: decrease if the model performs well on training data but poorly on evaluation data.",)
    by_heart = Threshold(
        0.4,
        "share of the loss",
        "as FT306: above it more epochs help less often (13 of 18, below 175 of 189)",
    )
    gained = Threshold(0.01, "share of the last level", "as FT202: less is not told from nothing")

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_validation(m):
            return self.cannot_tell(why)
        if m.by_heart is None:
            return self.cannot_tell("fewer than 3 finite training losses")
        v, limit = m.valid, min(self.gained * abs(m.valid.end), NotConverged().limit(m.valid))
        figures = {"by_heart": m.by_heart, "by_heart_limit": self.by_heart}
        figures |= {"late_fall": v.late_fall, "late_fall_limit": limit}
        if m.by_heart <= self.by_heart:
            return self.clear("training is not far ahead of validation", **figures)
        if v.late_fall > limit or StillFalling().holds(m):
            return self.clear("training is far ahead, but validation gains with it", **figures)
        if Overfitting().holds(m):
            return self.clear("validation got worse, not only no better (FT201)", **figures)
        reason = f"training does {m.by_heart:.0%} better than validation, which gains no more"
        return self.fires(m, reason, **figures)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "down"),)
