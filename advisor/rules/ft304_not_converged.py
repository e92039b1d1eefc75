"""FT304: validation loss has not come to rest."""

from __future__ import annotations

from advisor.measure import Measurements, Shape
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_validation
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import Rule, Threshold


class NotConverged(Rule):
    """Validation loss fell over the last third of the steps, by more than the noise.

    ## What it looks for
    `late_fall` of the validation loss over the last third of the steps, as a share of its whole fall, above 6 %; and
    above two standard deviations of a level. Not where the loss stands above its best all the same (FT201), nor where
    the training loss first jumped up (FT403), for then smaller batches, at the same rate, are noisier still.

    ## Why it matters
    With the same passes over the data more and shorter steps bring the model further.

    ## Example
    Validation 3.1, 2.2, 1.9, 1.75: a late fall of 0.15 (limit 0.081) in a whole fall of 1.35.

    ## What to change
    The batch size, down.

    ## Risk of the change
    Smaller batches take longer and are noisier; at a rate that is already too high they make the loss swing.

    ## When it cannot tell
    With fewer than three finite validation losses, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, batch size, "decrease if".
    """

    id = "FT304"
    name = "not-converged"
    guide = ("Batch size: decrease if the model is not converging well.",)
    late = Threshold(
        0.06,
        "share of the whole fall",
        "on 39 tables a smaller batch helps on 1276 of 1350 jobs above it, on 681 of 895 below",
    )
    clearly = Threshold(
        2.0,
        "standard deviations of a level",
        "falls made of noise alone fire on none of 240 jobs of 30 points and more; at one, on 11",
    )

    def limit(self, valid: Shape) -> float:
        """The late fall from which on the validation loss has not come to rest (nats per token)."""
        return max(self.late * valid.fall, self.clearly * valid.noise_of_level)

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_validation(m):
            return self.cannot_tell(why)
        v, limit = m.valid, self.limit(m.valid)
        figures = {"late_fall": v.late_fall, "limit": limit, "fall": v.fall}
        if v.late_fall <= 0:
            return self.clear(f"validation loss fell no more over the last third of {m.run}", **figures)
        fell = f"validation loss fell by {v.late_fall:.3g} over the last third of {m.run}"
        if v.late_fall <= limit:
            return self.clear(f"{fell}, little beside its whole fall of {v.fall:.3g}", **figures)
        if Overfitting().holds(m):
            return self.clear(f"{fell}, and rose again (FT201)", **figures)
        if EarlyJump().holds(m):
            return self.clear(f"{fell}, after a jump at the beginning (FT403)", **figures)
        return self.fires(m, fell, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("batch_size", "down"),)
