"""FT503: training rows are nearly the same."""

from __future__ import annotations

from advisor.datacheck.measure import SHOWN, DataMeasurements, shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class RowsNearlyAlike(Rule):
    """Training rows that differ from an earlier row in a few characters.

    ## What it looks for
    Rows whose Jaccard similarity with an earlier row is at least 0.8 but below 1 (distinct runs of 5 bytes
    of the conversation, found by MinHash, then compared exactly), as a share of all rows.

    ## Why it matters
    Near copies act as repetitions, and where they fall on both sides of a split they make validation too
    kind.

    ## Example
    'What is your name?' beside 'What is your name': 30 of 100 rows (30 %, limit 10 %).

    ## What to change
    Keep one of each group, and spend the effort on cases that are not there yet.

    ## Risk of the change
    Wordings that differ on purpose, as in a test of spelling, may be lost.

    ## When it cannot tell
    With fewer than two good rows.

    ## References
    Broder, On the resemblance and containment of documents (1997); Lee et al. (ACL 2022), who use 0.8 too;
    the guide, improving quality.
    """

    id = "FT503"
    name = "rows-nearly-alike"
    guide = ("Quality: diversify your dataset; make sure that it includes a wide variety of examples.",)
    share = Threshold(
        0.1,
        "share of training rows",
        "set by hand: the shipped data sets measure 0.2 % and 1.5 %",
    )

    def look(self, m: DataMeasurements) -> Finding:
        if len(m.good) < 2:
            return self.cannot_tell("fewer than 2 good training rows")
        twins = [t for t in m.twins if t.similarity < 1]
        found = len(twins) / len(m.good)
        figures = {"share_nearly_alike": found, "limit": float(self.share), "rows": len(twins)}
        if found <= self.share:
            return self.clear("few rows are nearly alike", **figures)
        reason = f"{len(twins)} of {len(m.good)} training rows nearly {'repeats' if len(twins) == 1 else 'repeat'} an earlier one: {shown(twins)}"
        return self.fires(m, reason, **figures, lines=[t.line for t in twins[:SHOWN]])
