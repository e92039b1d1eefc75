"""FT506: the validation set is too small for its noise."""

from __future__ import annotations

from advisor.datacheck.losses import mean_and_error
from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class ValidationNoise(Rule):
    """A validation set whose mean loss is too uncertain to tell good settings apart.

    ## What it looks for
    Standard error of the mean validation loss over examples (weighted by tokens) as a share of that mean.
    Without the examples' losses it is estimated as `typical_spread` / sqrt(examples).

    ## Why it matters
    Two settings whose losses differ by less cannot be ranked for new data, however many jobs one runs.

    ## Example
    30 validation examples with a spread as usual: 4.6 % (limit 3 %).

    ## What to change
    Move examples from training to validation, or collect more: four times the examples halve the error.

    ## Risk of the change
    Fewer examples to train on.

    ## When it cannot tell
    Without a validation file.

    ## References
    Cochran, Sampling techniques (1977), 2.11; the guide, improving quantity.
    """

    id = "FT506"
    name = "validation-noise"
    guide = ("Quantity: the more complex the task, the larger the dataset you will need.",)
    relative_error = Threshold(
        0.03, "share of the mean loss", "set by hand: the best settings of a table differ by 1 to 5 %"
    )
    typical_spread = Threshold(
        0.25,
        "standard deviation of examples' losses / their mean, weighted by tokens",
        "measured on the shipped tasks: 0.21 (chat, 120 examples) and 0.17 (commands, 100)",
    )

    def look(self, m: DataMeasurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(
                "there is no validation file, so nothing can be told of overfitting either"
            )
        n = len(m.good_valid)
        if not n:
            return self.cannot_tell("the validation file has no good rows")
        if m.losses and len(m.losses) > 1:
            mean, error = mean_and_error(m.losses)
            found, how = error / mean if mean > 0 else 0.0, "measured on the examples' losses"
        else:
            found, how = self.typical_spread / n**0.5, "estimated from the number of examples"
        figures = {"relative_error": found, "limit": float(self.relative_error), "examples": n}
        if found <= self.relative_error:
            return self.clear(f"the mean loss is known well enough ({how})", **figures)
        need = int(n * (found / self.relative_error) ** 2) + 1
        reason = f"the mean loss of {n} validation examples is uncertain by {found:.0%} ({how}); about {need} would do"
        return self.fires(m, reason, **figures, examples_needed=need)
