"""FT301: hardly anything was learned."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding, Move
from advisor.rules.ft102_too_few_evaluations import TooFewEvaluations
from advisor.rules.ft201_overfitting import Overfitting
from advisor.rules.ft401_oscillating import Oscillating
from advisor.rules.ft402_diverged import Diverged
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import TOO_FEW, Rule, Threshold, rate_of


class Underfitting(Rule):
    """Neither training nor validation loss has come down from where it began.

    ## What it looks for
    `learned` = fall from the first level to the lowest / first level (a share), the larger of the two curves;
    below 4 %, where the validation loss has not risen by as much either, and at 2 % already where it falls
    at a `pace` (FT302) above 10 %. A curve that is not told from noise around one level fell by nothing. Not where the
    validation loss swings (FT401), rose from its best (FT201) or blew up (FT402), nor where the training loss
    first jumped up (FT403): there the steps are too long rather.

    ## Why it matters
    The model answers as it did before: the job was wasted.

    ## Example
    Validation 0.82, 0.81, 0.812, 0.811 and training 0.79, 0.78, 0.772, 0.773: learned 2.2 % (limit 4 %).

    ## What to change
    The number of epochs, up, or the learning rate, up, or the batch size, down: each makes the steps more or longer.

    ## Risk of the change
    Time and money, where the fault lies in the data or the learning rate.

    ## When it cannot tell
    With fewer than three finite validation losses, or so few noisy ones that FT102 fires.

    ## References
    The guide, number of epochs, "increase if", and batch size, "decrease if".
    """

    id = "FT301"
    name = "underfitting"
    guide = (
        "Epochs: increase if the model is underperforming on both training and validation data.",
        "Batch size: decrease if the model is not converging well.",
    )
    learned = Threshold(
        0.04,
        "share of the first level",
        "published curves read by eye: 2 % nothing learned, 6 % and more learned",
    )

    steady = Threshold(0.1, "share of the whole fall, as FT302", "half the pace of a straight line")

    def look(self, m: Measurements) -> Finding:
        if m.valid is None:
            return self.cannot_tell(TOO_FEW)
        if TooFewEvaluations().holds(m):
            return self.cannot_tell("too few evaluations for their noise (FT102)")
        figures = {"learned": m.learned, "limit": self.learned}
        if Oscillating().holds(m):
            return self.clear("the validation loss swings (FT401) rather than stays", **figures)
        if Diverged().holds(m):
            return self.clear("the loss blew up (FT402) rather than stayed", **figures)
        if EarlyJump().holds(m):
            return self.clear("the loss first jumped up (FT403): the steps are too long rather", **figures)
        if Overfitting().holds(m):
            return self.clear("the validation loss rose (FT201) rather than stayed", **figures)
        if m.valid_told and m.valid.rise > self.learned * abs(m.valid.start):
            return self.clear("the validation loss rose rather than stayed", rise=m.valid.rise, **figures)
        if m.learned >= self.learned / 2 and m.pace > self.steady:
            return self.clear(
                "little learned so far, but at a steady pace", pace=m.pace, pace_limit=self.steady, **figures
            )
        if m.learned >= self.learned:
            return self.clear("the model has learned", **figures)
        stayed = "did not fall" if m.told else "did not fall by more than their noise"
        fell = f"fell by {m.learned:.1%} only" if m.learned >= 0.0005 else stayed
        return self.fires(m, f"the losses {fell}{m.so_far}", **figures)

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move("n_epochs", "up"), Move(rate_of(m), "up"), Move("batch_size", "down"))
