"""FT512: some rows are longer than what a model is trained on at once."""

from __future__ import annotations

from advisor.datacheck.measure import DataMeasurements, lines_shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class RowsTooLong(Rule):
    """Training rows of more text than a model is trained on at once.

    ## What it looks for
    Characters of prompt, answer and system message of each training row; it fires on the first row above the
    limit.

    ## Why it matters
    What lies beyond a model's context is cut off, and the answer stands at the end: services and trainers do so
    without a word, or refuse the file. The row is paid for all the same.

    ## Example
    Line 41 has 300,004 characters (limit 65,536).

    ## What to change
    Shorten the rows named, or part them; first see that they are no file pasted by mistake.

    ## Risk of the change
    Where long rows are what the model is to answer, it learns them from short ones less well.

    ## When it cannot tell
    Never: the length in tokens is the model's matter, but rows above the limit are long for all that are small.

    ## References
    OpenAI, Fine-tuning: examples beyond the model's limit are truncated; TRL, `max_length` (1,024 tokens by
    default).
    """

    id = "FT512"
    name = "rows-too-long"
    guide = (
        "Quality: ensure correct formatting; double-check that all data points are correctly formatted.",
    )
    most = Threshold(
        65_536,
        "characters",
        "16,384 tokens of four characters, the shortest context of a chat model that OpenAI has tuned",
    )

    def look(self, m: DataMeasurements) -> Finding:
        long = [(e.line, size) for e in m.good if (size := len(e.text) + len(e.scene)) > self.most]
        longest = max((len(e.text) + len(e.scene) for e in m.good), default=0)
        figures = {"longest_row": longest, "limit": float(self.most), "rows": len(long)}
        if not long:
            return self.clear("every row is short enough to be trained on whole", **figures)
        lines = [line for line, _ in long]
        reason = f"{lines_shown(lines)} of the training file: up to {longest:,} characters, about {longest // 4:,} tokens"
        return self.fires(m, reason, **figures, lines=lines)
