"""FT302: the losses were still falling when the job ended."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import BROKEN, TOO_FEW, Rule, Threshold


class StillFalling(Rule):
    """The last fifth of the training still brought much of all that was gained.

    ## What it looks for
    `pace` = fall of the validation loss over the last fifth of the steps, as a share of its fall over the run (the
    geometric mean of the shares of its own fall and of the larger fall of the two curves), plus 15 % of the training
    curve's share; above 5.4 %. A curve that nears its floor like exp(-t) has 4 % after three of its time constants
    and 6 % after two and a half; a straight line has 20 %.

    ## Why it matters
    The job was ended before it had learned what these data teach.

    ## Example
    Validation 5.21, 5.09, 4.97, 4.91, 4.87 and training 5.29 to 5.00: pace 9.8 % (limit 5.4 %).

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
    pace = Threshold(
        0.054,
        "share of the whole fall",
        "the middle between settled and falling curves, as read by eye (0.051, 0.058)",
    )

    def look(self, m: Measurements) -> Finding:
        if m.broken:
            return self.cannot_tell(BROKEN)
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        figures = {"pace": m.pace, "limit": self.pace}
        brought = f"the last fifth of the training brought {m.pace:.0%} of the whole fall"
        if m.pace <= self.pace:
            return self.clear(f"{brought}: settled", **figures)
        return self.fires(m, brought, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)
