"""FT305: training loss ends no better than validation loss, which does not rise."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_both
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.rule import Rule, Threshold


class TrainingNoBetter(Rule):
    """The model does as badly on what it was trained on as on what it never saw: underfitting, in the guide's words.

    ## What it looks for
    `by_heart`, by how much training does better than validation (a share, as in FT201), below 8 %; while the
    validation loss still fell over the last third of the steps, by more than 0.5 % of its whole fall and two standard
    deviations of a level. Not where it stands above its best all the same (FT201).

    ## Why it matters
    Nothing has been learned by heart yet, so further passes over the same examples still teach.

    ## Example
    Training 2.4, 1.9, 1.7, 1.62 and validation 2.2, 1.9, 1.72, 1.70: by heart 5 % (limit 8 %), late fall 0.02 (limit
    0.0025).

    ## What to change
    The number of epochs, up.

    ## Risk of the change
    Time and money for a gain that may be small where the losses have all but settled.

    ## When it cannot tell
    With fewer than three finite losses on either curve, or where the loss blew up (FT402), hardly fell
    (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, number of epochs, "increase if": underperforming on both training and validation data.
    """

    id = "FT305"
    name = "training-no-better"
    guide = ("Epochs: increase if the model is underperforming on both training and validation data.",)
    by_heart = Threshold(
        0.08,
        "share of the loss",
        "on 39 tables more epochs help on 1814 of 1857 jobs below it, on 618 of 796 above",
    )

    late = Threshold(0.005, "share of the whole fall", "less is not worth a job")
    clearly = Threshold(
        2.0,
        "standard deviations of a level",
        "falls made of noise alone fire on 1 of 240 jobs of 30 points and more; at one, on 36",
    )

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_both(m):
            return self.cannot_tell(why)
        limit = max(self.late * m.valid.fall, self.clearly * m.valid.noise_of_level)
        figures = {
            "by_heart": m.by_heart,
            "by_heart_limit": self.by_heart,
            "late_fall": m.valid.late_fall,
            "late_fall_limit": limit,
        }
        if m.by_heart >= self.by_heart:
            return self.clear("training does better than validation", **figures)
        if m.valid.late_fall <= limit:
            return self.clear("validation loss has come to rest, or rises", **figures)
        if Overfitting().holds(m):
            return self.clear("validation loss fell, and rose again (FT201)", **figures)
        ahead = (
            f"hardly better than validation ({m.by_heart:.0%})"
            if m.by_heart >= 0.005
            else "no better than validation"
        )
        fell = f"which still fell by {m.valid.late_fall:.3g} over the last third of {m.run}"
        return self.fires(m, f"training does {ahead}, {fell}", **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"),)
