"""FT303: little was learned early on, and the losses are still falling."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_both
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import Rule, Threshold, rate_of


class SlowFromTheStart(Rule):
    """No early drop, both losses still falling at the end, and training no better than validation.

    ## What it looks for
    Shares of the whole fall: `early_share`, what the first third of the steps brought to the training loss, below
    80 %; `late_share`, what the last third brought, the mean over both curves, above 8 %; `late_train`, the same for the
    training loss alone, above 6 %. And `by_heart`, by how much training does better than validation, below 8 %. Not
    where the loss first jumped up (FT403), nor where it stands above its best at the end (FT201).

    ## Why it matters
    Steps are too short: more of them would do, longer ones do it sooner.

    ## Example
    Training 3.4, 3.2, 3.1, 3.0, 2.9 and validation 3.4, 3.2, 3.1, 3.0, 2.9: early share 47 % (limit 80 %), late share
    27 % (limit 8 %), late training share 27 % (limit 6 %), by heart 0 % (limit 8 %).

    ## What to change
    The learning rate, up.

    ## Risk of the change
    Too high a rate makes the loss swing or diverge.

    ## When it cannot tell
    With fewer than three finite losses on either curve, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, learning rate, "increase if"; NVIDIA NeMo AutoModel's guide: slow but steady, rate x 2 to 3.
    """

    id = "FT303"
    name = "slow-from-the-start"
    guide = ("Learning rate: increase if the model converges slowly.",)
    early = Threshold(
        0.8, "share of the whole fall", "a curve that drops at once and settles brings 90 % and more"
    )
    late = Threshold(0.08, "share of the whole fall", "three time constants of an exponential fall bring 9 %")
    late_train = Threshold(
        0.06,
        "share of the whole fall",
        "on 39 tables a higher rate helps on 623 of 669 jobs above it, on 50 of 65 below",
    )
    by_heart = Threshold(
        0.08,
        "share of the loss",
        "training that runs ahead of validation says that the steps are long enough",
    )

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_both(m):
            return self.cannot_tell(why)
        if m.early_share is None:
            return self.clear(
                "training loss has not fallen at all", late_share=m.late_share, late_share_limit=self.late
            )
        late_train = m.train.late_fall / m.train.fall
        figures = {
            "early_share": m.early_share,
            "early_share_limit": self.early,
            "late_share": m.late_share,
            "late_share_limit": self.late,
            "late_train": late_train,
            "late_train_limit": self.late_train,
            "by_heart": m.by_heart,
            "by_heart_limit": self.by_heart,
        }
        slow = m.early_share < self.early and m.late_share > self.late and late_train > self.late_train
        if slow and EarlyJump().holds(m):
            return self.clear("the loss first jumped up (FT403): the steps are too long rather", **figures)
        if slow and Overfitting().holds(m):
            return self.clear(
                "validation loss rose above its best (FT201): more of it is no remedy", **figures
            )
        if not slow or m.by_heart >= self.by_heart:
            return self.clear("the first steps brought their part, or the losses have settled", **figures)
        both = m.valid.late_fall > m.valid.noise_of_level  # else it is training alone that still falls
        late = f"{m.late_share:.0%} of the fall" if both else f"{late_train:.0%} of the training loss's fall"
        text = f"{late} came in the last third of {m.run}, and training is not ahead of validation"
        return self.fires(m, text, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "up"),)
