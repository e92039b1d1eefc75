"""FT402: the loss blew up."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import Rule, Threshold, rate_of


class Diverged(Rule):
    """The losses end as no numbers, or both above where they began.

    ## What it looks for
    A curve that ends in NaN or inf after finite losses; or a training loss whose last level stands more than 20 % and
    three standard deviations above its first, with the validation loss 10 % above its own first.

    ## Why it matters
    Training drove the model away from what it knew: nothing of the job is of use.

    ## Example
    At a learning rate of 3e-3 training 1.24 to 1.99 (+61 %, limit 20 %) and validation 2.55 to 3.69.

    ## What to change
    The learning rate, down.

    ## Risk of the change
    None worth naming: the job as it is has no value.

    ## When it cannot tell
    With fewer than three finite losses on either curve, and none that broke.

    ## References
    NVIDIA NeMo AutoModel's guide: NaN, learning rate / 10. The guide is silent.
    """

    id = "FT402"
    name = "diverged"
    guide = ()
    train = Threshold(0.20, "share of the first training level", "swings of a steady run stay below it")
    valid = Threshold(
        0.10, "share of the first validation level", "overfitting alone raises it too: half is asked"
    )
    clearly = Threshold(3.0, "standard deviations of a level", "one in a thousand by chance")

    def look(self, m: Measurements) -> Finding:
        if m.train_ends_broken or m.valid_ends_broken:
            which = "training" if m.train_ends_broken else "validation"
            return self.fires(m, f"the {which} loss ended as no number", ends_broken=which)
        if m.valid is None or m.train is None:
            return self.cannot_tell("fewer than 3 finite losses on one of the curves")
        t, v = m.train, m.valid
        limit = max(self.train * abs(t.start), self.clearly * t.noise_of_level)
        figures = {
            "train_rise": t.end - t.start,
            "train_rise_limit": limit,
            "valid_rise": v.end - v.start,
            "valid_rise_limit": self.valid * abs(v.start),
        }
        if t.end - t.start <= limit or v.end - v.start <= self.valid * abs(v.start):
            return self.clear("the losses do not end above where they began", **figures)
        reason = f"training loss went from {t.start:.4g} to {t.end:.4g}, validation from {v.start:.4g} to {v.end:.4g}"
        return self.fires(m, reason, **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"),)
