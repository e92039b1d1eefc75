"""FT302: the losses were still falling when the job ended."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import BROKEN, TOO_FEW, Rule, Threshold


class StillFalling(Rule):
    """The last third of the training still brought much of all that was gained.

    ## What it looks for
    `late_share` = fall over the last third of the steps / fall over the whole run, the mean over the validation and
    the training curve, above 7 %; and the validation loss alone falling by more than 2 % there, and by more than its
    noise. A curve that nears its floor like exp(-t) brings 9 % there after three of its time constants and 5 % after
    four; a straight line brings 33 %.

    ## Why it matters
    The job was ended before it had learned what these data teach.

    ## Example
    Validation 5.21, 5.09, 4.97, 4.91, 4.87 and training 5.29 to 5.00: late 15 % (limit 7 %).

    ## What to change
    The number of epochs, up.

    ## Risk of the change
    Further passes over few examples may overfit; they cost in proportion.

    ## When it cannot tell
    With fewer than three finite validation losses, or where a loss ended as no number.

    ## References
    The guide, number of epochs, "increase if"; NVIDIA NeMo AutoModel's guide: still falling at the end, epochs up.
    """

    id = "FT302"
    name = "still-falling"
    guide = ("Epochs: increase if the model's loss is decreasing but hasn't stabilized.",)
    late = Threshold(
        0.07,
        "share of the whole fall",
        "between three and four time constants; separates published curves read by eye",
    )

    late_valid = Threshold(
        0.02, "share of the whole fall", "training that falls on alone is no reason for more of it"
    )

    def look(self, m: Measurements) -> Finding:
        if m.broken:
            return self.cannot_tell(BROKEN)
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        limit = max(self.late_valid * m.fall, m.valid.noise_of_level)
        figures = {
            "late_share": m.late_share,
            "late_share_limit": self.late,
            "late_fall_valid": m.valid.late_fall,
            "late_fall_valid_limit": limit,
        }
        if m.late_share <= self.late or m.valid.late_fall <= limit:
            return self.clear("the losses have settled", **figures)
        return self.fires(
            m, f"{m.late_share:.0%} of the whole fall came in the last third of the training", **figures
        )

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)
