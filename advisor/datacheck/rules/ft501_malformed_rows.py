"""FT501: some rows cannot be trained on."""

from __future__ import annotations

from collections import defaultdict

from advisor.datacheck.measure import SHOWN, DataMeasurements, lines_shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule


class MalformedRows(Rule):
    """Rows that no provider can train on.

    ## What it looks for
    Rows of either file that are no JSON object, lack `messages` or `prompt` and `completion`, have an
    unknown role, do not end with the assistant, answer nothing, or are of another form than most training
    rows: chat amid prompt and completion, or the reverse (a count). It fires on the first one.

    ## Why it matters
    Providers refuse the whole file for one such row, or skip the row silently and train on less than you
    think.

    ## Example
    Line 17 ends with a user message: 1 malformed row of 500.

    ## What to change
    Repair or remove the rows named.

    ## Risk of the change
    None.

    ## When it cannot tell
    Where the file has no rows.

    ## References
    The guide, improving quality; OpenAI's chat format.
    """

    id = "FT501"
    name = "malformed-rows"
    guide = (
        "Quality: ensure correct formatting; double-check that all data points are correctly formatted.",
    )

    def look(self, m: DataMeasurements) -> Finding:
        rows = len(m.train) + len(m.valid or ())
        if not rows:
            return self.cannot_tell("the file has no rows")
        bad = m.problems
        if not bad:
            return self.clear("every row can be trained on", malformed=0, rows=rows)
        by_fault: dict[tuple[str, str], list[int]] = defaultdict(list)
        for where, e in bad:
            by_fault[where, str(e.problem)].append(e.line)
        faults = list(by_fault.items())
        named = "; ".join(f"{where} {lines_shown(lines)}: {why}" for (where, why), lines in faults[:SHOWN])
        more = f"; and {len(faults) - SHOWN} faults more" if len(faults) > SHOWN else ""
        return self.fires(
            m, f"{len(bad)} of {rows} rows cannot be trained on: {named}{more}", malformed=len(bad), rows=rows
        )
