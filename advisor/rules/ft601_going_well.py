"""FT601: the job learned and settled."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.ft102_too_few_evaluations import TooFewEvaluations
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft202_rising_again import RisingAgain
from advisor.rules.ft204_training_far_ahead import TrainingFarAhead
from advisor.rules.ft301_underfitting import Underfitting
from advisor.rules.ft302_still_falling import StillFalling
from advisor.rules.ft303_slow_from_the_start import SlowFromTheStart
from advisor.rules.ft304_not_converged import NotConverged
from advisor.rules.ft305_training_no_better import TrainingNoBetter
from advisor.rules.ft306_hidden_fall import HiddenFall
from advisor.rules.ft401_oscillating import Oscillating
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import TOO_FEW, Rule

OVERFITTING = Overfitting()
TROUBLES = (
    OVERFITTING, RisingAgain(), TrainingFarAhead(), Underfitting(), StillFalling(), SlowFromTheStart(), NotConverged(),
    TrainingNoBetter(), HiddenFall(), Oscillating(), Diverged(), EarlyJump(),
)  # fmt: skip


class GoingWell(Rule):
    """None of the troubles that the other rules on curves look for.

    ## What it looks for
    The number of those rules that fire: none. And `rise_above_best` of the validation loss below the limit of FT201, which
    is silent where training does no better than validation.

    ## Why it matters
    A setting that works may be made cheaper before it is made better.

    ## Example
    Validation 1.3, 0.62, 0.56, 0.55, 0.549 and training 1.3, 0.6, 0.52, 0.5, 0.495: 0 troubles (limit 0).

    ## What to change
    By the guide the batch size, up, for speed.

    ## Risk of the change
    Fewer steps in the same epochs: unless the learning rate rises too (by the square root, for Adam), the job
    learns less.

    ## When it cannot tell
    With fewer than three finite validation losses, or so few noisy ones that FT102 fires.

    ## References
    The guide, batch size, "increase if"; Malladi et al., arXiv 2205.10287, on batch size and learning rate.
    """

    id = "FT601"
    name = "going-well"
    news = True
    good = True
    guide = ("Batch size: increase if the model is fine-tuning successfully, to speed up the process.",)

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        if TooFewEvaluations().holds(m):
            return self.cannot_tell("the evaluations are too few for their noise (FT102)")
        troubles = [r.id for r in TROUBLES if r.holds(m)]
        figures = {"troubles": troubles, "limit": 0}
        if troubles:
            return self.clear(f"there is trouble: {', '.join(troubles)}", **figures)
        rose = OVERFITTING.look(m).evidence
        if rose["rise_above_best"] > rose["limit"]:
            figures |= {"rise_above_best": rose["rise_above_best"], "rise_limit": rose["limit"]}
            return self.clear("validation loss rose, though not by learning by heart", **figures)
        return self.fires(m, f"the job learned, and its losses have settled{m.so_far}", **figures)

    def act_by_guide(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("batch_size", "up", "speed"),)
