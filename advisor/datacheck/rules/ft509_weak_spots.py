"""FT509: some validation examples are far harder than the rest."""

from __future__ import annotations

from advisor.datacheck.losses import unusually_high
from advisor.datacheck.measure import SHOWN, DataMeasurements, lines_shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class WeakSpots(Rule):
    """Validation examples whose loss stands far above the others'.

    ## What it looks for
    Examples whose mean loss lies above the upper quartile by more than 1.5 times the distance between the
    quartiles; it fires where they carry more of the total loss than `carried`.

    ## Why it matters
    They show what the training data lack: a few kinds of prompt, or wrong reference answers, hold the mean
    up.

    ## Example
    5 of 100 examples carry 31 % of the loss (limit 10 %): lines 4, 17, 60, 61, 90.

    ## What to change
    Read these examples: correct wrong answers, and add training rows of their kind.

    ## Risk of the change
    Examples added for single validation rows teach the test; add their kind, not themselves.

    ## When it cannot tell
    Without the examples' losses, or with fewer than 8.

    ## References
    Tukey, Exploratory data analysis (1977): fences; the guide, improving quality.
    """

    id = "FT509"
    name = "weak-spots"
    guide = (
        "Quality: address weaknesses; if your model struggles with specific prompts, incorporate data points that demonstrate how it should respond.",
    )
    carried = Threshold(
        0.1, "share of the total loss", "set by hand: a normal spread puts 2 to 4 % beyond the fence"
    )

    def look(self, m: DataMeasurements) -> Finding:
        if not m.losses or len(m.losses) < 8:
            return self.cannot_tell(
                "the provider gave no losses of single validation examples"
                if not m.losses
                else "fewer than 8 losses"
            )
        high = unusually_high(m.losses)
        total = sum(e.loss * e.tokens for e in m.losses)
        found = sum(e.loss * e.tokens for e in high) / total if total > 0 else 0.0
        figures = {"loss_carried": found, "limit": float(self.carried), "examples": len(high)}
        if found <= self.carried:
            return self.clear("no small group carries the loss", **figures)
        lines = [e.line for e in high]
        reason = (
            f"{len(high)} of {len(m.losses)} validation examples {'carries' if len(high) == 1 else 'carry'} "
            f"{found:.0%} of the loss: {lines_shown(lines)}"
        )
        return self.fires(m, reason, **figures, lines=lines[:SHOWN])
