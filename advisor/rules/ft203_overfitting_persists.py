"""FT203: overfitting again, although epochs or learning rate were already reduced."""

from __future__ import annotations

from advisor.measure import Measurements, measure
from advisor.nouns import Finding, HyperParameters, Job, Move
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft301_underfitting import Underfitting
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.rule import TOO_FEW, Rule


class OverfittingPersists(Rule):
    """The newest job overfits, and so did one before it with more epochs or a higher learning rate.

    ## What it looks for
    FT201 on the newest job and on an earlier one of the same data and model that had more epochs or a higher
    learning rate (a count of such jobs): at least one. Only jobs since the last that ended well without it: after
    that the remedy is known, and overfitting has come back.

    ## Why it matters
    The usual remedies were taken, and the model still learns its examples by heart.

    ## Example
    12 epochs overfitted, 5 epochs at half the rate overfit still: 1 adjustment (limit 1).

    ## What to change
    By the guide the batch size, down.

    ## Risk of the change
    A smaller batch takes more steps in the same epochs, and so often overfits sooner: see the measured rate.

    ## When it cannot tell
    Without an earlier job, or with fewer than three finite validation losses.

    ## References
    The guide, batch size, "decrease if".
    """

    id = "FT203"
    name = "overfitting-persists"
    guide = ("Batch size: decrease if overfitting persists despite other adjustments.",)

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        if not m.history:
            return self.cannot_tell("no earlier job on these data")
        if not Overfitting().holds(m):
            return self.clear("the newest job does not overfit", adjustments=0, limit=1)
        before, cured = _since_cured(m)
        adjusted = sum(_reduced(j.hyperparameters, m.hyperparameters) for j in before)
        if not adjusted:
            what = (
                "it came back after a job without it"
                if cured
                else "no less of epochs or learning rate was tried"
            )
            return self.clear(what, adjustments=0, limit=1)
        return self.fires(
            m,
            f"overfitting has outlasted {adjusted} adjustment{'s' * (adjusted > 1)}",
            adjustments=adjusted,
            limit=1,
        )

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("batch_size", "down"),)


def _since_cured(m: Measurements) -> tuple[list[Job], bool]:
    """The jobs right before the newest that overfitted as it does, and whether one before them learned without it."""
    before = []
    for job in reversed(m.history):
        seen = measure(job)
        told = Overfitting().look(seen)
        if told.fires:
            before.append(job)
        learned = job.succeeded and not (Diverged().holds(seen) or Underfitting().holds(seen))
        if told.verdict == "clear" and learned:
            return before, True
    return before, False


def _reduced(before: HyperParameters, now: HyperParameters) -> bool:
    """Whether epochs or learning rate were higher before."""
    knobs = ("n_epochs", "learning_rate_multiplier", "learning_rate")
    pairs = [(getattr(before, k), getattr(now, k)) for k in knobs]
    return any(
        isinstance(old, int | float) and isinstance(new, int | float) and old > new for old, new in pairs
    )
