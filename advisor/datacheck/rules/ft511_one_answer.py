"""FT511: nearly all rows give one answer."""

from __future__ import annotations

from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class OneAnswer(Rule):
    """Training rows that nearly all give the same answer, whatever is asked.

    ## What it looks for
    Rows with the most frequent answer (case and white space make no difference), as a share of all rows.

    ## Why it matters
    The model learns to say it without reading the prompt, and the loss of one that always says the same
    looks excellent.

    ## Example
    'yes' answers 98 of 100 rows (98 %, limit 90 %).

    ## What to change
    Add rows with the other answers; where there are none, the task needs no model.

    ## Risk of the change
    Answers that are rare in use may be given too often.

    ## When it cannot tell
    With fewer than 10 good rows.

    ## References
    He and Garcia, Learning from imbalanced data (IEEE TKDE 2009); the guide, improving quality.
    """

    id = "FT511"
    name = "one-answer"
    guide = ("Quality: diversify your dataset.",)
    share = Threshold(
        0.9, "share of training rows", "set by hand: always saying the same is then right nine times in ten"
    )

    def look(self, m: DataMeasurements) -> Finding:
        if len(m.good) < 10:
            return self.cannot_tell("fewer than 10 good training rows")
        alike = m.commonest_answer
        found = len(alike) / len(m.good)
        figures = {"share_of_one_answer": found, "limit": float(self.share), "rows": len(alike)}
        if found <= self.share:
            return self.clear("no answer stands in nearly all rows", **figures)
        how_many = "all" if found == 1 else f"{len(alike)} of"
        reason = f"{how_many} {len(m.good)} training rows give the same answer, that of line {alike[0].line}"
        return self.fires(m, reason, **figures, lines=[alike[0].line])
