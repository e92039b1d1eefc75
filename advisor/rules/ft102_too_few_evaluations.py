"""FT102: the validation curve is too short, or not a number."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.measure.measurements import MIN_POINTS
from advisor.nouns import Finding
from advisor.rules.rule import Rule


class TooFewEvaluations(Rule):
    """Fewer finite validation losses than a trend needs.

    ## What it looks for
    Finite validation losses (a count), the loss before training included; at least three.

    ## Why it matters
    Two points always lie on a line. Whether the model learns to answer or learns by heart shows on validation
    data alone, so training loss is no substitute.

    ## Example
    7 evaluations logged, 7 of them NaN: 0 finite ones (limit 3).

    ## What to change
    No knob. Give the job a validation file, evaluate more often, and look why losses are not numbers.

    ## Risk of the change
    Evaluations take time, never quality.

    ## When it cannot tell
    Never: the count is always known.

    ## References
    None: a matter of arithmetic.
    """

    id = "FT102"
    name = "too-few-evaluations"
    guide = ()

    def look(self, m: Measurements) -> Finding:
        if m.valid is not None:
            return self.clear("enough evaluations to judge", finite=m.valid.n, limit=MIN_POINTS)
        finite = max(m.n_valid_logged - m.n_valid_broken, 0)
        reason = f"{finite} finite validation losses of {m.n_valid_logged} logged; a trend needs {MIN_POINTS}"
        return self.fires(m, reason, finite=finite, logged=m.n_valid_logged, limit=MIN_POINTS)
