"""FT507: prompts follow few templates."""

from __future__ import annotations

from advisor.datacheck.measure import DataMeasurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class PromptsAlike(Rule):
    """Prompts that are made of a few templates.

    ## What it looks for
    Bytes of all prompts (lower case, in a seeded random order, at most 1 MiB) per byte of their deflate
    form; and how many different prompts there are among the rows.

    ## Why it matters
    A model that saw few forms of asking fails on the others; a low loss then says little about use.

    ## Example
    'Order 3 apples for Ann', 'Order 5 pears for Bob', ...: ratio 12.6 (limit 6).

    ## What to change
    Collect prompts as users write them; vary form, length, order and tone.

    ## Risk of the change
    The loss rises at first: the task became the real one.

    ## When it cannot tell
    With less than 4 KiB of prompts, where these differ: the ratio then measures the compressor.

    ## References
    Shaib et al., Standardizing the measurement of text diversity (arXiv 2403.00553): compression ratio; the
    guide, improving quality.
    """

    id = "FT507"
    name = "prompts-alike"
    guide = (
        "Quality: diversify your dataset; include a wide variety of examples that reflect the range of prompts.",
    )
    ratio = Threshold(
        6.0,
        "bytes per compressed byte",
        "sentences of documentation measure 2.5 to 3.3, shipped chat 2.4, a form with three blanks 12.6",
    )

    distinct = Threshold(
        0.1, "different prompts / rows", "set by hand: each prompt then stands in ten rows on average"
    )

    def look(self, m: DataMeasurements) -> Finding:
        share = m.distinct_prompts
        if share is not None and share <= self.distinct:
            reason = f"different prompts: {round(share * len(m.good))}, in {len(m.good)} rows"
            return self.fires(m, reason, share_distinct=share, limit=float(self.distinct))
        if m.compression is None:
            return self.cannot_tell("less than 4 KiB of prompts")
        figures = {"compression_ratio": m.compression, "limit": float(self.ratio)}
        if m.compression <= self.ratio:
            return self.clear("prompts are varied", **figures)
        reason = f"prompts compress {m.compression:.1f} to 1: they follow few templates"
        return self.fires(m, reason, **figures)
