"""FT202: after an initial improvement the validation loss rises, to the end."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.course import no_course_of_validation
from advisor.rules.rule import Rule, Threshold


class RisingAgain(Rule):
    """Validation loss first fell and then rose over the last third of the training.

    ## What it looks for
    `late_rise` = level at the end - level at two thirds of the steps; above 1 % of the whole fall before, above 1 % of
    the lowest level, and above two standard deviations of a level. A smaller rise than FT201 asks for, but one that
    lasts to the end.

    ## Why it matters
    The job passed its best point before it ended: what it was charged for the rest made it worse.

    ## Example
    Validation 3.42, 1.30, 1.05, 1.02, 1.06, 1.11: a late rise of 0.077 (limit 0.024).

    ## What to change
    The number of epochs, down.

    ## Risk of the change
    Under a rate that decays to zero a shorter run is not the beginning of a longer one.

    ## When it cannot tell
    With fewer than three finite validation losses, without one from before the lowest, or where the loss blew up
    (FT402), hardly fell (FT301), swings (FT401) or is not told from its noise (FT102).

    ## References
    The guide, number of epochs, "decrease if": early convergence.
    """

    id = "FT202"
    name = "rising-again"
    guide = ("Epochs: decrease if the loss increases after initial improvement (early convergence).",)
    late_rise = Threshold(
        0.01, "share of the whole fall", "on the benchmark fewer epochs help above it, and seldom below"
    )

    of_best = Threshold(
        0.01,
        "share of the lowest level",
        "on 39 tables fewer epochs help on 364 of 372 jobs above it, on 12 of 28 below: three points show no noise",
    )
    clearly = Threshold(
        2.0,
        "standard deviations of a level",
        "rises made of noise alone fire on 5 of 100 jobs of 30 points and more; at one, on 20 (n = 240)",
    )

    def look(self, m: Measurements) -> Finding:
        if why := no_course_of_validation(m):
            return self.cannot_tell(why)
        v = m.valid
        limit = max(self.late_rise * v.fall, self.of_best * abs(v.best), self.clearly * v.noise_of_level)
        figures = {"late_rise": -v.late_fall, "limit": limit, "fall": v.fall}
        if v.fall <= v.noise_of_level and not m.from_before:
            return self.cannot_tell("validation loss was at its best when it was first measured")
        if v.fall <= v.noise_of_level:
            return self.clear("validation loss never fell below the one before training", **figures)
        if -v.late_fall <= limit:
            return self.clear(f"validation loss does not rise over the last third of {m.run}", **figures)
        rose = f"validation loss rose by {-v.late_fall:.3g} over the last third of {m.run}"
        return self.fires(m, rose, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "down"),)
