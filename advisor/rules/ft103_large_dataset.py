"""FT103: a particularly large training file."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.rule import Rule, Threshold, rate_of


class LargeDataset(Rule):
    """So many examples that noise averages out over them.

    ## What it looks for
    The number of training examples (a count).

    ## Why it matters
    Many examples make many steps that each see something new: the guide holds that they bear a higher
    learning rate.

    ## Example
    48,000 examples (limit 10,000): fires.

    ## What to change
    By the guide the learning rate, up.

    ## Risk of the change
    Too high a rate oscillates or diverges. With more steps an epoch the same rate also goes further.

    ## When it cannot tell
    Where the number of examples is not known.

    ## References
    The guide, learning rate multiplier, "increase if".
    """

    id = "FT103"
    name = "large-dataset"
    news = True
    guide = ("Learning rate: increase if you are working with a particularly large dataset.",)
    many = Threshold(
        10_000, "training examples", "the guide gives no figure; ten times what most providers call ample"
    )

    def look(self, m: Measurements) -> Finding:
        if m.n_train_examples is None:
            return self.cannot_tell("the number of training examples is not known")
        figures = {"examples": m.n_train_examples, "limit": self.many}
        if m.n_train_examples < self.many:
            return self.clear("the dataset is not particularly large", **figures)
        return self.fires(m, f"{m.n_train_examples:,} training examples are particularly many", **figures)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "up"),)
