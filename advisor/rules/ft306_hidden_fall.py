"""FT306: the validation loss still lost much of itself, small though that is beside its first fall."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_validation
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft302_still_falling import StillFalling
from advisor.rules.rule import Rule, Threshold


class HiddenFall(Rule):
    """A great fall at the beginning makes the rest of the curve look flat, and it is not.

    ## What it looks for
    `share` = fall of the validation loss over the last third of the steps, as a share of its last level; above 6 %, and
    above 3 standard deviations of a level and 0.5 % of the whole fall. Beside it `by_heart`, by how much training does
    better than validation (a share, as in FT201), below 40 %. Not where FT302 fires, which says more, nor where the loss
    stands above its best all the same (FT201).

    ## Why it matters
    On a plot that begins with the loss before training the job looks settled. In proportion it is still gaining.

    ## Example
    Validation 5.77, 0.68, 0.53, 0.45: a late fall of 0.08 (limit 0.027), 18 % of the last level.

    ## What to change
    The number of epochs, up.

    ## Risk of the change
    Where training is well ahead of validation already, further passes may overfit.

    ## When it cannot tell
    With fewer than three finite validation losses, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, number of epochs, "increase if".
    """

    id = "FT306"
    name = "hidden-fall"
    guide = ("Epochs: increase if the model's loss is decreasing but hasn't stabilized.",)
    share = Threshold(
        0.06,
        "share of the last level",
        "on 39 tables more epochs help on 175 of 189 jobs above it where no other rule asks for them, on 50 of 71 at "
        "4 to 6 %",
    )
    clearly = Threshold(3.0, "standard deviations of a level", "one in a thousand by chance")
    of_fall = Threshold(0.005, "share of the whole fall", "as FT305: less is not worth a job")
    by_heart = Threshold(0.4, "share of the loss", "on the same tables 13 of 18 above it, 175 of 189 below")

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_validation(m):
            return self.cannot_tell(why)
        v = m.valid
        limit = max(self.share * abs(v.end), self.clearly * v.noise_of_level, self.of_fall * v.fall)
        figures = {"late_fall": v.late_fall, "limit": limit, "end": v.end}
        ahead = m.by_heart is not None and m.by_heart > self.by_heart
        if m.by_heart is not None:
            figures |= {"by_heart": m.by_heart, "by_heart_limit": self.by_heart}
        if v.late_fall <= limit:
            return self.clear(f"over the last third of {m.run} the validation loss gained little", **figures)
        if ahead:
            return self.clear("training is far ahead of validation", **figures)
        if Overfitting().holds(m):
            return self.clear("the validation loss fell, and rose again (FT201)", **figures)
        if StillFalling().holds(m):
            return self.clear("nothing hides the fall: FT302 tells of it", **figures)
        fell = f"still fell by {v.late_fall:.3g}, much beside its level of {v.end:.3g} now"
        return self.fires(m, f"over the last third of {m.run} the validation loss {fell}", **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)
