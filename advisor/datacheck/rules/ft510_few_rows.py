"""FT510: there are few rows to learn from."""

from __future__ import annotations

from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class FewRows(Rule):
    """A training file of so few rows that one job can hardly differ from the base model, or learns them by heart.

    ## What it looks for
    Training rows that can be trained on and repeat no earlier row (a count).

    ## Why it matters
    Few rows make few steps: within some epochs the model knows them by heart, and no setting helps.
    Services refuse a file of fewer than 10.

    ## Example
    12 different rows (limit 50).

    ## What to change
    Collect more examples, edge cases first; first see what the base model does with them in its prompt.

    ## Risk of the change
    Cost of an epoch rises with the rows.

    ## When it cannot tell
    Never: rows can always be counted.

    ## References
    OpenAI, Fine-tuning (supervised): at least 10 examples, clear improvements from 50 to 100; the guide,
    improving quantity.
    """

    id = "FT510"
    name = "few-rows"
    guide = ("Quantity: the more complex the task, the larger the dataset you will need.",)
    rows = Threshold(
        50, "different training rows", "OpenAI's guide sees clear improvements from 50 to 100 examples"
    )

    def look(self, m: DataMeasurements) -> Finding:
        count = len(m.good) - sum(t.similarity == 1 for t in m.twins)
        figures = {"different_rows": count, "limit": float(self.rows)}
        if count >= self.rows:
            return self.clear("there are rows to learn from", **figures)
        return self.fires(m, f"different rows to train on: {count}, of {len(m.train)} in the file", **figures)
