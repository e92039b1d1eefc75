"""A budget that pays for short jobs alone: what it pays for is said, and where that is not worth it, so is that."""

import pytest
from propose_jobs import RANGES, ask, job

from advisor.propose.budget import HOPEFUL, Affordable


def best_after_three(tokens):
    falls = job(epochs=3, batch=4, rate=1.0, ends=(1.7, 1.3, 1.2), trained_tokens=300_000)
    return ask([falls], RANGES, budget={"trained_tokens": tokens})[0][0]


def test_a_job_cut_too_short_to_beat_the_best_is_not_worth_it():
    ends = (1.7, 1.4, 1.3, 1.25, 1.22, 1.2, 1.19, 1.185)
    long = job(epochs=8, batch=4, rate=2.0, ends=ends, trained_tokens=800_000)
    made = ask([long], RANGES, budget={"trained_tokens": 100_000})[0][0]
    assert made.stop
    assert made.reason.startswith(
        "what is left pays for jobs of at most 1 epoch, and the one to try first has a chance of"
    )
    assert made.reason.endswith("to bring more than 2% of the attainable gain")
    assert made.hyperparameters.n_epochs == 1, "for who goes on all the same"


@pytest.mark.parametrize(("tokens", "epochs"), [(450_000, 4), (620_000, 6)])
def test_what_the_budget_pays_for_is_told(tokens, epochs):
    made = best_after_three(tokens)
    assert not made.stop
    assert made.hyperparameters.n_epochs <= epochs
    assert made.expect.endswith(f"what is left pays for jobs of at most {epochs} epochs")


@pytest.mark.parametrize(
    ("chance", "ended", "limit", "kept"),
    [
        (HOPEFUL - 0.01, 1, "cut", True),
        (HOPEFUL, 1, "cut", False),
        (0.0, 0, "cut", False),
        (0.0, 1, None, False),
    ],
)
def test_what_is_left_is_kept_where_little_is_hoped_of_a_job_cut_short(chance, ended, limit, kept):
    """After one job at least, and only where the budget cuts jobs."""
    assert bool(Affordable(None, limit=limit).too_little(chance, ended)) == kept
    assert HOPEFUL == 0.1


def test_a_budget_that_cuts_nothing_is_not_spoken_of():
    assert "what is left" not in best_after_three(10_000_000).expect
