"""FT504: validation rows are in the training file too."""

from __future__ import annotations

from advisor.datacheck.measure import SHOWN, DataMeasurements, shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class ValidationSeenInTraining(Rule):
    """Validation rows that are in the training file too, word for word or nearly.

    ## What it looks for
    Validation rows with a training row of similarity 0.8 or more (see FT503), as a share of the validation
    rows.

    ## Why it matters
    On such rows a model that learns by heart looks good: overfitting is seen late, and jobs with more
    epochs win unfairly.

    ## Example
    20 of 100 validation rows are training rows (20 %, limit 1 %).

    ## What to change
    Remove the rows from the training file, or from both, and measure again.

    ## Risk of the change
    Losses before and after the repair are not comparable.

    ## When it cannot tell
    Without a validation file or good rows in it.

    ## References
    Kapoor and Narayanan, Leakage and the reproducibility crisis (Patterns 2023).
    """

    id = "FT504"
    name = "validation-seen-in-training"
    guide = (
        "Training and evaluation subsets: the model is evaluated on data different from what it was trained on.",
    )
    share = Threshold(
        0.01,
        "share of validation rows",
        "set by hand: one row in a hundred moves a mean loss by less than its noise",
    )

    def look(self, m: DataMeasurements) -> Finding:
        if not m.good_valid or not m.good:
            return self.cannot_tell("no validation rows" if m.good else "no good training rows")
        found = len(m.leaks) / len(m.good_valid)
        exact = sum(t.similarity == 1 for t in m.leaks)
        figures = {
            "share_seen": found,
            "limit": float(self.share),
            "rows": len(m.leaks),
            "word_for_word": exact,
        }
        if not m.leaks:
            return self.clear("validation rows are new to the model", **figures)
        reason = (
            f"{len(m.leaks)} of {len(m.good_valid)} validation rows {'is' if len(m.leaks) == 1 else 'are'} in the training "
            f"file too, {exact} of them word for word: {shown(m.leaks)} (validation = training line)"
        )
        if found <= self.share:
            return self.clear(reason, **figures)
        return self.fires(m, reason, **figures, lines=[t.line for t in m.leaks[:SHOWN]])
