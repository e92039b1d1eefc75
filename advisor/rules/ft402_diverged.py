"""FT402: the loss blew up."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import Rule, Threshold, rate_of


class Diverged(Rule):
    """The losses end as no numbers, or both above where they began.

    ## What it looks for
    A curve that ends in NaN or inf after finite losses; or a training loss whose last level stands above its
    first by more than 20 % of the higher first level of the two curves and by more than three standard deviations, while
    the validation loss, where there is one, has not fallen either.

    ## Why it matters
    Training drove the model away from what it knew: nothing of the job is of use.

    ## Example
    At a learning rate of 3e-3 training 1.24 to 1.99 (risen by 0.75, limit 0.51) and validation 2.55 to 3.69.

    ## What to change
    The learning rate, down.

    ## Risk of the change
    None worth naming: the job as it is has no value.

    ## When it cannot tell
    With fewer than three finite training losses, and no curve that ended as no number.

    ## References
    NVIDIA NeMo AutoModel's guide: NaN, learning rate / 10. The guide is silent.
    """

    id = "FT402"
    name = "diverged"
    guide = ()
    risen = Threshold(
        0.20,
        "share of the higher first level",
        "swings of a steady run stay below it; a published run at 3e-3 has 0.29",
    )
    clearly = Threshold(3.0, "standard deviations of a level", "one in a thousand by chance")

    def look(self, m: Measurements) -> Finding:
        if m.train_ends_broken or m.valid_ends_broken:
            which = "training" if m.train_ends_broken else "validation"
            return self.fires(m, f"the {which} loss ended as no number", ends_broken=which)
        if m.train is None:
            return self.cannot_tell("fewer than 3 finite training losses")
        t, v = m.train, m.valid
        first = max(abs(t.start), abs(v.start) if v else 0.0)
        limit = max(self.risen * first, self.clearly * t.noise_of_level)
        figures = {"train_rise": t.end - t.start, "train_rise_limit": limit}
        if t.end - t.start <= limit:
            return self.clear("training loss does not end above where it began", **figures)
        if v:
            figures |= {"valid_fall": v.start - v.end, "valid_fall_limit": self.clearly * v.noise_of_level}
            if v.start - v.end > figures["valid_fall_limit"]:
                return self.clear("training loss rose, but validation loss fell", **figures)
        reason = f"training loss went from {t.start:.4g} to {t.end:.4g}"
        reason += f", validation loss from {v.start:.4g} to {v.end:.4g}" if v else ""
        return self.fires(m, reason, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"),)
