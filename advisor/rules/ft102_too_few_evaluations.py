"""FT102: the validation curve is too short, or nothing was measured."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.measure.chance import ENOUGH
from advisor.measure.measurements import MIN_POINTS
from advisor.nouns import Finding
from advisor.rules.ft201_overfitting import BATCHES, Overfitting
from advisor.rules.rule import Rule, Threshold


class TooFewEvaluations(Rule):
    """Fewer validation losses than a trend needs, or than its noise asks for.

    ## What it looks for
    Validation losses that can be used (a count): numbers, one a step, the loss before training among them, not all 0;
    at least three. And ten where the training loss is not told from noise around one level, and the validation loss
    moved by more than 4 % of its first level, yet by less than four standard deviations of a training point: fewer
    noisy evaluations take on any course by chance. Not where four and more fall one after the other, or rise, nor where
    the whole validation set gained as much since before training. Ten, too, where single batches are evaluated and what
    FT201 would call a rise is less than four standard deviations of a training point.

    ## Why it matters
    Two points always lie on a line. Whether the model learns to answer or learns by heart shows on validation
    data alone, so training loss is no substitute.

    ## Example
    7 evaluations logged, 7 of them NaN: 0 usable ones (limit 3).

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
    moved = Threshold(0.04, "share of the first level", "as FT301: less is nothing learned, noise or not")

    def look(self, m: Measurements) -> Finding:
        if m.valid is not None:
            if self._drowned(m) or BATCHES in Overfitting().look(m).reason:
                reason = (
                    f"{m.valid.n} evaluations that move by no more than noise; a trend needs {ENOUGH} of such"
                )
                return self.fires(m, reason, usable=m.valid.n, limit=ENOUGH, logged=m.n_valid_logged)
            return self.clear("enough evaluations to judge", usable=m.valid.n, limit=MIN_POINTS)
        figures = {"usable": 0 if m.n_valid >= MIN_POINTS else m.n_valid, "limit": MIN_POINTS}
        advice = ": give the job a validation file" if _has_none(m) else ""
        reason = f"{_known(m)}; a trend needs {MIN_POINTS}{advice}"
        return self.fires(m, reason, **figures, logged=m.n_valid_logged)

    def _drowned(self, m: Measurements) -> bool:
        """Whether the evaluations move, but too few of them to tell it from their noise."""
        v = m.valid
        return v.told is None and not m.told and v.top - v.best > self.moved * abs(v.start)


def _has_none(m: Measurements) -> bool:
    """Whether the job trained to its end and measured nothing on validation data."""
    return m.n_train > 0 and not m.n_valid_logged and m.status in (None, "succeeded")


def _known(m: Measurements) -> str:
    """What there is of validation losses, and why it is no more."""
    logged = m.n_valid_logged
    if not logged:
        return "no validation loss was logged"
    if logged == m.n_valid_broken:
        return (
            f"none of {logged} validation losses is a number"
            if logged > 1
            else "the one validation loss is no number"
        )
    if m.n_valid >= MIN_POINTS:
        return f"all {logged} validation losses are 0: nothing was measured"
    if m.n_valid >= logged:
        return f"{m.n_valid} validation loss{'es' * (m.n_valid != 1)} so far"
    return f"{m.n_valid} of {logged} validation losses can be used: the others are no numbers, or repeat one"
