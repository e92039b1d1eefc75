"""FT402: the loss blew up."""

from __future__ import annotations

from advisor.measure import Measurements, Shape
from advisor.nouns import Finding, Move
from advisor.rules.ft403_early_jump import EarlyJump
from advisor.rules.rule import Rule, Threshold, rate_of

OVERFLOW = (
    "so logs tell what is no number, as where 16-bit floats overflow (fp16): look at precision too (bf16)"
)


class Diverged(Rule):
    """The losses end as no numbers, or gave up most of what they had gained, or more.

    ## What it looks for
    - A curve that ends in NaN or inf after finite losses, or in exact zeros that stand for these; or three losses and
      more of which none was a number, of training beside no validation loss, or inf.
    - A training loss that ends above its lowest level or first point by more than 20 % of the higher first level of the
      two curves, more than half of its own fall and more than three standard deviations of a point; while the
      validation loss, where there is one, rose by more than half of its fall and three standard deviations of a level,
      or was first measured when training had risen by 75 % of that, and never lay lower than there.
    - A curve that jumped in its first half and came back only in part: by more than 20 % of the jump, to an end above
      its first point by more than 15 % of it and three standard deviations of a point.
    - A training loss that first jumped (FT403) beside a validation loss that ends no lower than before training.
    - A validation loss that never was below the one before training, and ends above it by more than 5 % and three
      standard deviations of a level, as training does by more than 5 %; or, of training nothing is known, never was
      less than 50 % above it.

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
    With fewer than three finite training losses, where no other curve tells it.

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
    worse = Threshold(
        0.05,
        "share of the loss before training",
        "of jobs whose validation loss was never lower a lower rate helps on 56 of 56 above it, and on 12 of 12 below, "
        "where noise may do as much (39 tables)",
    )
    from_the_first = Threshold(
        0.5,
        "share of the loss before training",
        "on 39 tables a lower rate helps on 13 of 13 jobs that lie above it throughout, of training nothing asked",
    )
    up_there = Threshold(0.75, "share of the rise", "most of it: whether training rises on matters little")

    def look(self, m: Measurements) -> Finding:
        ways = (self._no_number, self._never_recovered, self._jumped_in_vain, self._above_before)
        found = next((finding for way in ways if (finding := way(m))), None)
        return found or self._risen(m)

    def _no_number(self, m: Measurements) -> Finding | None:
        if not m.broken:
            return None
        which = "training" if m.train_ends_broken else "validation"
        if m.train_zeros_from is not None:
            how = f"is exactly 0 from {m.unit} {m.train_zeros_from:g} on: {OVERFLOW}"
            return self.fires(m, f"the training loss {how}", ends_broken=which, zeros_from=m.train_zeros_from)
        never = not (m.n_train if m.train_ends_broken else m.n_valid)
        how = "never was a number: look at data and precision too" if never else "ended as no number"
        return self.fires(m, f"the {which} loss {how}", ends_broken=which)

    def _never_recovered(self, m: Measurements) -> Finding | None:
        for which, s in (("validation", m.valid), ("training", m.train)):
            if s and self._half_back(s):
                figures = {"above_first": s.end - s.first, "above_first_limit": self._harm(s), "peak": s.peak}
                jump = f"jumped from {s.first:.4g} to {s.peak:.4g} and came back to {s.end:.4g} only"
                return self.fires(m, f"the {which} loss {jump}", **figures)
        return None

    def _jumped_in_vain(self, m: Measurements) -> Finding | None:
        if m.gain is None or m.gain > 0 or not EarlyJump().holds(m):
            return None
        reason = f"the loss jumped (FT403), and ended {-m.gain:.3g} above the one before training"
        return self.fires(m, reason, gain=m.gain, gain_limit=0.0, jump=m.train.jump)

    def _above_before(self, m: Measurements) -> Finding | None:
        """Where it never did better than before training, and does worse on what it was trained on, too."""
        before, v, t = m.before, m.valid_trained or m.valid, m.train
        if before is None or v is None or v.lowest <= before or before <= 0:
            return None
        share = self.worse if t else self.from_the_first
        above = (v.end if t else v.best) - before
        figures = {"above_before": above, "above_before_limit": self._above(v, share * before)}
        if above <= figures["above_before_limit"]:
            return None
        if t is None:
            least = f"validation loss never was less than {above:.3g} above the {before:.4g} before training"
            return self.fires(m, least, **figures)
        figures |= {"train_above": t.end - before, "train_above_limit": share * before}
        if figures["train_above"] <= figures["train_above_limit"]:
            return None
        ends = "stands" if m.pending else "ends"
        reason = f"validation loss {ends} {above:.3g} above the {before:.4g} before training, and was never below; "
        return self.fires(m, f"{reason}training loss {ends} at {t.end:.4g}", **figures)

    def _risen(self, m: Measurements) -> Finding:
        if m.train is None:
            return self.cannot_tell("fewer than 3 finite training losses")
        t, v = m.train, m.valid
        first = max(abs(t.start), abs(v.start) if v else 0.0)
        rise = max(t.rise, t.end - t.first)  # a jump right after the first point is no level of its own
        limit = max(self.risen * first, self.of_fall * t.fall, self.clearly * t.noise)
        figures = {"train_rise": rise, "train_rise_limit": limit}
        if rise <= limit:
            return self.clear("training loss kept what it had gained", **figures)
        reason = f"training loss rose from {t.end - rise:.4g} to {t.end:.4g}"
        if v and self._before_the_first(t, v, rise):
            late = f"validation loss was first measured after that, and never was below {v.best:.4g}"
            return self.fires(m, f"{reason}; {late}", **figures)
        if v:
            valid_limit = max(self.of_fall * v.fall, self.clearly * v.noise_of_level)
            figures |= {"valid_rise": v.rise, "valid_rise_limit": valid_limit}
            if v.rise <= valid_limit:
                return self.clear("training loss rose, but validation loss did not with it", **figures)
            reason += f", validation loss from {v.best:.4g} to {v.end:.4g}"
        return self.fires(m, reason, **figures)

    def _above(self, s: Shape, least: float) -> float:
        return max(least, self.clearly * s.noise_of_level)

    def _before_the_first(self, t: Shape, v: Shape, rise: float) -> bool:
        """Whether training had risen before validation was first measured, which stood as high by then."""
        there = t.end - (1 - self.up_there) * rise
        return v.best >= there and t.at(v.step[0]) >= there and t.step[0] < v.step[0]

    def _harm(self, s: Shape) -> float:
        return max(self.harm * abs(s.first), self.clearly * s.noise)

    def _half_back(self, s: Shape) -> bool:
        """Whether it jumped early and settled above its first point. What rises to its end is overfitting rather."""
        came_back = s.peak - s.end > max(self.back * (s.peak - s.first), self.clearly * s.noise_of_level)
        early = s.peak_step < (s.step[0] + s.step[-1]) / 2
        return s.end - s.first > self._harm(s) and came_back and early

    def act(self, m: Measurements) -> tuple[Move, ...]:
        return (Move(rate_of(m), "down"),)
