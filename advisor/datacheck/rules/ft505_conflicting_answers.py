"""FT505: one prompt has several answers."""

from __future__ import annotations

from advisor.datacheck.measure import SHOWN, DataMeasurements, shown
from advisor.nouns import Finding
from advisor.rules.rule import Rule, Threshold


class ConflictingAnswers(Rule):
    """Training rows that give one prompt different answers.

    ## What it looks for
    Rows whose prompt and system message equal an earlier row's while the answer differs, as a share of all
    rows.

    ## Why it matters
    No model can satisfy both: the loss has a floor there that no hyperparameter lowers. In small talk that
    is wanted, in extraction and classification it is an error.

    ## Example
    'How are you?' is answered in three ways: 2 of 20 rows (10 %, limit 5 %).

    ## What to change
    Where one answer is right, correct the others. Where all are, leave them.

    ## Risk of the change
    Answers become less varied.

    ## When it cannot tell
    With fewer than two good rows that have a prompt.

    ## References
    Northcutt et al., Pervasive label errors in test sets (NeurIPS 2021); the guide, improving quality.
    """

    id = "FT505"
    name = "conflicting-answers"
    guide = ("Quality: properly structured data is crucial for the model's learning process.",)
    share = Threshold(
        0.05,
        "share of training rows",
        "set by hand: small talk stands above it by nature, extraction should stand at 0",
    )

    def look(self, m: DataMeasurements) -> Finding:
        if sum(bool(e.prompt.strip()) for e in m.good) < 2:
            return self.cannot_tell("fewer than 2 good training rows with a prompt")
        found = len(m.conflicts) / len(m.good)
        figures = {"share_conflicting": found, "limit": float(self.share), "rows": len(m.conflicts)}
        if not m.conflicts:
            return self.clear("prompts have one answer each", **figures)
        answer = "answers" if len(m.conflicts) == 1 else "answer"
        reason = (
            f"{len(m.conflicts)} of {len(m.good)} training rows {answer} an earlier row's prompt differently: "
            f"{shown(m.conflicts)}"
        )
        if found <= self.share:
            return self.clear(reason, **figures)
        return self.fires(m, reason, **figures, lines=[t.line for t in m.conflicts[:SHOWN]])
