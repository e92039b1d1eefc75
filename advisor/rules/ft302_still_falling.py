"""FT302: the losses were still falling when the job ended."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_validation
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft202_rising_again import RisingAgain
from advisor.rules.rule import Rule, Threshold


class StillFalling(Rule):
    """The last fifth of the training still brought much of all that was gained.

    ## What it looks for
    `pace` = fall of the validation loss over the last fifth of the steps, as a share of its fall over the run (the
    geometric mean of the shares of its own fall and of the larger fall of the two curves), plus 15 % of the training
    curve's share; above 5.4 %. A curve that nears its floor like exp(-t) has 4 % after three of its time constants
    and 6 % after two and a half; a straight line has 20 %.

    Above 3 % already where the same fall took more than 5 % off the validation loss itself (`taken_off`), and more
    than the noise of a level: a great fall at the beginning makes everything after it look small. Above 2 % where
    the curve begins with the loss before training, for then the first fall is the greatest. Never where the validation
    loss stands above its best all the same (FT201) or rose late (FT202).

    ## Why it matters
    The job was ended before it had learned what these data teach.

    ## Example
    Validation 5.21, 5.09, 4.97, 4.91, 4.87 and training 5.29, 5.22, 5.14, 5.07, 5.00: pace 12 % (limit 5.4 %).

    ## What to change
    The number of epochs, up.

    ## Risk of the change
    Further passes over few examples may overfit; they cost in proportion.

    ## When it cannot tell
    With fewer than three finite validation losses, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

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

    much_left = Threshold(
        0.03,
        "share of the whole fall",
        "settled as read by eye, where the loss itself still fell: up to 0.030",
    )
    after_the_first = Threshold(
        0.02, "share of the whole fall", "as above; the first epoch alone brings two thirds of such a fall"
    )
    taken_off = Threshold(
        0.05,
        "share of the last level",
        "falling curves below 5.4 %, as read by eye: 0.055 and more; settled ones: mostly below 0.03",
    )

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_validation(m):
            return self.cannot_tell(why)
        taken_off = m.valid.last_fall / abs(m.valid.end) if m.valid.end else 0.0
        limit = self._limit(m, taken_off)
        figures = {"pace": m.pace, "limit": limit, "taken_off": taken_off, "taken_off_limit": self.taken_off}
        brought = f"the last fifth of {m.run} brought {m.pace:.0%} of the whole fall"
        if m.pace <= limit:
            return self.clear(f"{brought}: settled", **figures)
        if Overfitting().holds(m) or RisingAgain().holds(m):
            return self.clear(f"{brought}, and validation loss rose again (FT201, FT202)", **figures)
        return self.fires(m, brought, **figures)

    def _limit(self, m: Measurements, taken_off: float) -> float:
        if taken_off <= self.taken_off or m.valid.last_fall <= m.valid.noise_of_level:
            return self.pace
        return self.after_the_first if m.from_before else self.much_left

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)
