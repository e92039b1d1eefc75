"""FT508: new rows still bring new words."""

from __future__ import annotations

from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class NewWordsKeepComing(Rule):
    """A training file too small for the language of its task.

    ## What it looks for
    Share of the words in a tenth of the training rows (drawn by a fixed seed) that the other nine tenths
    never use. A row longer than the median weighs as much as that one.

    ## Why it matters
    Where each tenth brings many new words, use will too: the file does not cover the task yet, and
    validation loss has a floor.

    ## Example
    200 sentences of documentation: 15 % of the words are new (limit 10 %); 500 sentences: 7 %.

    ## What to change
    Collect more examples, edge cases first.

    ## Risk of the change
    Cost of an epoch rises with the rows.

    ## When it cannot tell
    With fewer than 20 good rows.

    ## References
    Heaps' law (1978): vocabulary grows with the text; the guide, improving quantity.
    """

    id = "FT508"
    name = "new-words-keep-coming"
    guide = (
        "Quantity: the more complex the task, the larger the dataset you will need.",
        "Quantity: expand the dataset to include edge cases.",
        "Quantity: a larger dataset can prevent overfitting.",
    )
    share = Threshold(
        0.1,
        "share of words",
        "documentation falls below it between 200 and 500 sentences; a form with three blanks at 100",
    )

    def look(self, m: DataMeasurements) -> Finding:
        if len(m.good) < 20 or m.new_words is None:
            return self.cannot_tell("fewer than 20 good training rows")
        figures = {"share_new": m.new_words, "limit": float(self.share), "rows": len(m.good)}
        if m.new_words <= self.share:
            return self.clear("new rows bring few new words", **figures)
        reason = f"{m.new_words:.0%} of the words in a tenth of the rows are in no other row: {len(m.good)} rows do not cover the task"
        return self.fires(m, reason, **figures)
