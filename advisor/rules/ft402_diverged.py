"""FT402: the loss blew up."""

from __future__ import annotations

from advisor.measure import Measurements, Shape
from advisor.nouns import Finding, Move
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import Rule, Threshold, rate_of


class Diverged(Rule):
    """The losses end as no numbers, or gave up most of what they had gained, or more.

    ## What it looks for
    A curve that ends in NaN or inf after finite losses; or a training loss that ends above its lowest level by more
    than 20 % of the higher first level of the two curves, more than half of its own fall and more than three standard
    deviations of a point, while the validation loss, where there is one, rose by more than half of its fall and three
    standard deviations of a level. Or a curve that jumped in its first half and came back only in part: by more than
    20 % of the jump, to an end above its first point by more than 15 % of it and three standard deviations of a point.
    Or a training loss that first jumped (FT403) beside a validation loss that ends no lower than before training.

    ## Why it matters
    Training drove the model away from what it knew: nothing of the job is of use.

    ## Example
    Training 1.24, 1.3, 1.6, 1.8, 1.99 beside validation 2.55, 2.9, 3.3, 3.69: risen by 0.75 (limit 0.51) and by 1.14
    (limit 0).

    ## What to change
    The learning rate, down.

    ## Risk of the change
    Too low a rate learns too little in as many epochs; the job as it is has no value.

    ## When it cannot tell
    With fewer than three finite training losses, and no curve that ended as no number.

    ## References
    NVIDIA NeMo AutoModel's guide: NaN, learning rate / 10. The guide is silent.
    """

    id = "FT402"
    name = "diverged"
    guide = ()
    risen = Threshold(
        0.20,
        "share of the higher first level",
        "swings of a steady run stay below it; a published run at 3e-3 has 0.29",
    )
    of_fall = Threshold(0.5, "share of the fall", "most of what was gained is lost")
    harm = Threshold(
        0.15,
        "share of the first point",
        "trainings at far too high a rate ended 28 % and more above it; those that came back at most 8 %",
    )
    back = Threshold(
        0.2,
        "share of the jump",
        "such trainings came back by 33 % and more; those that overfit by at most 10 %",
    )
    clearly = Threshold(3.0, "standard deviations", "one in a thousand by chance")

    def look(self, m: Measurements) -> Finding:
        if m.train_ends_broken or m.valid_ends_broken:
            which = "training" if m.train_ends_broken else "validation"
            never = which == "training" and not m.n_train
            how = "never was a number: look at data and precision too" if never else "ended as no number"
            return self.fires(m, f"the {which} loss {how}", ends_broken=which)
        for which, s in (("validation", m.valid), ("training", m.train)):
            if s and self._never_recovered(s):
                figures = {"above_first": s.end - s.first, "above_first_limit": self._harm(s), "peak": s.peak}
                jump = f"jumped from {s.first:.4g} to {s.peak:.4g} and came back to {s.end:.4g} only"
                return self.fires(m, f"the {which} loss {jump}", **figures)
        if m.gain is not None and m.gain <= 0 and EarlyJump().holds(m):
            reason = f"the loss jumped (FT403), and ended {-m.gain:.3g} above the one before training"
            return self.fires(m, reason, gain=m.gain, gain_limit=0.0, jump=m.train.jump)
        if m.train is None:
            return self.cannot_tell("fewer than 3 finite training losses")
        t, v = m.train, m.valid
        first = max(abs(t.start), abs(v.start) if v else 0.0)
        limit = max(self.risen * first, self.of_fall * t.fall, self.clearly * t.noise)
        figures = {"train_rise": t.rise, "train_rise_limit": limit}
        if t.rise <= limit:
            return self.clear("training loss kept what it had gained", **figures)
        if v:
            valid_limit = max(self.of_fall * v.fall, self.clearly * v.noise_of_level)
            figures |= {"valid_rise": v.rise, "valid_rise_limit": valid_limit}
            if v.rise <= valid_limit:
                return self.clear("training loss rose, but validation loss did not with it", **figures)
        reason = f"training loss rose from {t.best:.4g} to {t.end:.4g}"
        reason += f", validation loss from {v.best:.4g} to {v.end:.4g}" if v else ""
        return self.fires(m, reason, **figures)

    def _harm(self, s: Shape) -> float:
        return max(self.harm * abs(s.first), self.clearly * s.noise)

    def _never_recovered(self, s: Shape) -> bool:
        """Whether it jumped early and settled above its first point. What rises to its end is overfitting rather."""
        came_back = s.peak - s.end > max(self.back * (s.peak - s.first), self.clearly * s.noise_of_level)
        early = s.peak_step < (s.step[0] + s.step[-1]) / 2
        return s.end - s.first > self._harm(s) and came_back and early

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"),)
