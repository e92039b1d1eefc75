"""FT502: training rows repeat word for word."""

from __future__ import annotations

from advisor.datacheck.measure import SHOWN, DataMeasurements, shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class RepeatedRows(Rule):
    """Training rows that repeat an earlier row word for word.

    ## What it looks for
    Rows whose conversation equals an earlier row's but for case and white space, as a share of all rows.
    System messages are left out of the comparison.

    ## Why it matters
    Each repetition weighs a row once more per epoch: the model learns repeated rows by heart first, and an
    epoch costs more than it teaches.

    ## Example
    Lines 40, 41 and 90 equal line 3: 3 of 100 rows (3 %, limit 1 %).

    ## What to change
    Remove the repetitions, or keep those that you mean as a weight.

    ## Risk of the change
    A class that is frequent in use may become too rare.

    ## When it cannot tell
    With fewer than two good rows.

    ## References
    Lee et al., Deduplicating training data makes language models better (ACL 2022); the guide, improving
    quality.
    """

    id = "FT502"
    name = "repeated-rows"
    guide = ("Quality: diversify your dataset.",)
    share = Threshold(
        0.01, "share of training rows", "set by hand: below it a deduplication changes no epoch by a step"
    )

    def look(self, m: DataMeasurements) -> Finding:
        if len(m.good) < 2:
            return self.cannot_tell("fewer than 2 good training rows")
        twins = [t for t in m.twins if t.similarity == 1]
        found = len(twins) / len(m.good)
        figures = {"share_repeated": found, "limit": float(self.share), "rows": len(twins)}
        if found <= self.share:
            return self.clear("hardly a row repeats", **figures)
        reason = f"{len(twins)} of {len(m.good)} training rows {'repeats' if len(twins) == 1 else 'repeat'} an earlier one: {shown(twins)}"
        return self.fires(m, reason, **figures, lines=[t.line for t in twins[:SHOWN]])
