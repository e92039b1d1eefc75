"""FT101: nothing is known of how a job does."""

from __future__ import annotations

from advisor.measure import Measurements
from advisor.nouns import Finding
from advisor.rules.rule import Rule

START = "start from the provider's choice"


class NoLossYet(Rule):
    """No job of this history has shown a single loss.

    ## What it looks for
    Jobs of this history, the newest included, with a training or validation loss logged (a count): at least one.

    ## Why it matters
    Without a curve every change is a guess, and the provider's own choice is a better one than ours.

    ## Example
    0 jobs with a loss (limit 1): the first job, or one that failed at its start.

    ## What to change
    Nothing: submit the first job with every knob on "auto", or at the usual start for data of this size.

    ## Risk of the change
    None beyond the job's cost; a first setting is chosen by the size of the data alone, and can miss by far.

    ## When it cannot tell
    Never: an empty history is an answer.

    ## References
    The guide's advice on the first job; OpenAI, fine-tuning guide: start with the defaults.
    """

    id = "FT101"
    name = "no-loss-yet"
    news = True
    guide = ("First job: leave the hyperparameters to the provider.",)

    def look(self, m: Measurements) -> Finding:
        newest = m.n_train_logged + m.n_valid_logged > 0
        jobs = newest + sum(any(map(len, (j.train, j.valid, j.full_valid))) for j in m.history)
        figures = {"jobs_with_a_loss": jobs, "limit": 1}
        if jobs == 0:
            failed = sum(status == "failed" for status in (m.status, *(j.status for j in m.history)))
            what = f"{failed} failed: see why before another is paid for" if failed else START
            return self.fires(m, f"no job has shown a loss yet: {what}", **figures)
        return self.clear("a job has shown its losses", **figures)
