"""What the loop does next is a pure function of the jobs so far."""

import pytest

from experiments.loop_budget import Limits, forecast, left, spent, total
from experiments.loop_decide import Rules, decide
from experiments.state import End, Plan, read

SPACE = {
    "n_epochs": [1, 2, 3, 5, 8, 12],
    "batch_size": {"min": 1, "max": 64},
    "learning_rate_multiplier": {"min": 0.02, "max": 10},
}
AUTO = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
RULES = Rules(space=SPACE, start=AUTO)


def job(number, status="succeeded", epochs=3, falling=True, **more):
    """A job of 60 steps whose losses fall steadily (or stand still)."""
    slope = -0.01 if falling else 0.0
    record = {
        "id": f"ftjob-{number}",
        "status": status,
        "created_at": 1_760_000_000 + number,
        "hyperparameters": {"n_epochs": epochs, "batch_size": 8, "learning_rate_multiplier": float(number)},
        "n_train_examples": 160,
        "base_valid_loss": 3.0,
        "steps_per_epoch": 20,
        "trained_tokens": 10_000 * epochs,
    }
    if status in ("succeeded", "running"):
        record["train_loss"] = [[s, 3.0 + slope * s] for s in range(1, 20 * epochs + 1)]
        record["full_valid_loss"] = [[20 * e, 3.0 + slope * 18 * e] for e in range(1, epochs + 1)]
    return record | more


def plans(records):
    return [Plan(n, r["hyperparameters"]) for n, r in enumerate(records, start=1)]


def test_the_first_job_is_the_start_of_the_spec():
    assert decide([], [], RULES, Limits(jobs=4)) == [
        Plan(1, AUTO, "first job", (), "the loop starts here, as its spec says")
    ]


def test_the_second_is_the_advisors_and_says_what_changed():
    records = [job(1)]
    (plan,) = decide(plans(records), records, RULES, Limits(jobs=4, ignore_stop=True))
    assert plan.number == 2
    assert plan.hyperparameters != records[0]["hyperparameters"]
    assert " to " in plan.changed
    assert plan.why


def test_the_same_state_is_decided_the_same_again():
    records = [job(1), job(2)]
    limits = Limits(jobs=9, ignore_stop=True)
    assert decide(plans(records), records, RULES, limits) == decide(plans(records), records, RULES, limits)


def test_a_running_job_is_waited_for():
    records = [job(1), job(2, "running")]
    assert decide(plans(records), records, RULES, Limits(jobs=4)) == []


def test_parallel_fills_the_free_places_with_different_settings():
    records = [job(1), job(2, "running")]
    chosen = decide(plans(records), records, RULES, Limits(jobs=9, parallel=4, ignore_stop=True))
    assert [plan.number for plan in chosen] == [3, 4, 5]
    settings = [tuple(p.hyperparameters.items()) for p in chosen] + [
        tuple(r["hyperparameters"].items()) for r in records
    ]
    assert len(set(settings)) == 5


def test_parallel_never_passes_the_number_of_jobs():
    records = [job(1), job(2, "running")]
    assert len(decide(plans(records), records, RULES, Limits(jobs=3, parallel=4, ignore_stop=True))) == 1


def test_the_last_jobs_are_waited_for_before_the_loop_ends():
    records = [job(1), job(2, "running")]
    assert decide(plans(records), records, RULES, Limits(jobs=2, parallel=4)) == []
    records[1] = job(2)
    assert decide(plans(records), records, RULES, Limits(jobs=2, parallel=4)).reason == "jobs"


def test_a_failed_job_counts_and_the_loop_goes_on():
    records = [job(1), job(2, "failed")]
    (plan,) = decide(plans(records), records, RULES, Limits(jobs=4, ignore_stop=True))
    assert plan.number == 3
    assert decide(plans(records), records, RULES, Limits(jobs=2)).reason == "jobs"


def test_three_jobs_that_never_began_to_train_end_the_loop():
    limits = Limits(jobs=9)
    failed = [job(n, "failed", error="quota exceeded") for n in (1, 2, 3)]
    end = decide(plans(failed), failed, RULES, limits)
    assert end.reason == "failures"
    assert "quota exceeded" in end.words
    assert isinstance(decide(plans(failed[:2]), failed[:2], RULES, limits), list)
    trained = [*failed[:2], job(3, "failed", train_loss=[[1, 3.0]])]  # this one failed by its setting
    assert isinstance(decide(plans(trained), trained, RULES, limits), list)
    mended = decide(plans(failed), failed, RULES, Limits(jobs=9, ignore_stop=True))
    assert isinstance(mended, list)
    assert decide(plans([*failed, job(4)]), [*failed, job(4)], RULES, Limits(jobs=4)).reason == "jobs"


def test_a_change_against_a_job_that_is_still_to_be_resolved():
    records = [job(1, "running") | {"hyperparameters": AUTO}]
    (plan,) = decide(plans(records), records, RULES, Limits(jobs=9, parallel=2, ignore_stop=True))
    assert "n_epochs auto to " in plan.changed


@pytest.mark.parametrize(
    ("limit", "epochs", "ends"),
    [
        (1_000_000, 3, False),
        (60_000, 3, False),  # exactly used up by the next job
        (59_999, 3, True),
        (30_000, 1, True),  # nothing left
        (40_000, 1, False),
        (60_000, "auto", False),  # "auto" counts as three epochs
        (59_999, "auto", True),
    ],
)
def test_the_token_budget_stops_before_the_job_that_would_pass_it(limit, epochs, ends):
    end = spent([job(1)], Limits(jobs=9, trained_tokens=limit), {"n_epochs": epochs})
    assert (end is not None) is ends
    assert not ends or end.reason == "trained_tokens"


def test_the_money_budget_is_in_dollars():
    records = [job(1, cost_usd=1.5), job(2, cost_usd=1.5)]
    assert spent(records, Limits(jobs=9, cost_usd=4.0), {"n_epochs": 3}).reason == "cost_usd"
    assert spent(records, Limits(jobs=9, cost_usd=4.5), {"n_epochs": 3}) is None


def test_a_budget_that_no_job_lets_us_reckon_with_ends_the_loop():
    limits = Limits(jobs=9, cost_usd=4.0)
    assert spent([job(1, "running")], limits) is None, "it may yet tell what it took"
    records = [job(1)]
    end = decide(plans(records), records, RULES, limits)
    assert (end.reason, "no job says its cost_usd" in end.words) == ("cost_usd", True)
    assert left(records, limits) == {"jobs": 8}
    known = Limits(jobs=9, cost_usd=4.0, per_epoch={"cost_usd": 0.1})
    assert spent(records, known) is None


def test_a_job_that_cost_nothing_has_told_its_cost():
    free = [job(1, cost_usd=0.0)]
    limits = Limits(jobs=9, cost_usd=4.0, per_epoch={"cost_usd": 3.0})
    assert spent(free, Limits(jobs=9, cost_usd=4.0)) is None
    assert forecast(free, limits, "cost_usd", {"n_epochs": 3}) == 0.0, "not what was thought before any job"


def test_running_jobs_count_with_their_forecast():
    records = [
        job(1),
        job(2, "running", epochs=6, trained_tokens=None),
        job(3, "failed", trained_tokens=None),
    ]
    assert total(records, Limits(jobs=9), "trained_tokens") == 30_000 + 60_000


@pytest.mark.parametrize(
    ("per_epoch", "limit", "ends"),
    [({}, 1, False), ({"trained_tokens": 10_000}, 30_000, False), ({"trained_tokens": 10_001}, 30_000, True)],
)
def test_the_first_job_is_forecast_from_the_file(per_epoch, limit, ends):
    limits = Limits(jobs=9, trained_tokens=limit, per_epoch=per_epoch)
    assert forecast([], limits, "trained_tokens", AUTO) == 3 * per_epoch.get("trained_tokens", 0)
    assert isinstance(decide([], [], RULES, limits), End) is ends


def test_a_budget_bears_as_many_parallel_jobs_as_it_can_pay():
    records = [job(1, epochs=1, trained_tokens=10_000)]
    limits = Limits(jobs=9, trained_tokens=10_000 * (1 + 12), parallel=8, ignore_stop=True)
    chosen = decide(plans(records), records, RULES, limits)
    if isinstance(chosen, End):
        assert chosen.reason == "trained_tokens"
    else:
        assert sum(p.hyperparameters["n_epochs"] for p in chosen) <= 12


def test_the_advisor_is_told_what_is_left():
    records = [job(1, cost_usd=1.5), job(2, "running", trained_tokens=None)]
    assert left(records, Limits(jobs=9)) == {"jobs": 7}
    told = left(records, Limits(jobs=2, trained_tokens=100_000, cost_usd=2.0))
    assert told == {"jobs": 0, "trained_tokens": 40_000, "usd": 0}


def test_with_little_left_a_shorter_job_is_chosen():
    records = [job(1)]
    limits = Limits(jobs=9, trained_tokens=30_000 + 20_000, ignore_stop=True)  # two epochs more
    (plan,) = decide(plans(records), records, RULES, limits)
    assert plan.hyperparameters["n_epochs"] <= 2


@pytest.mark.parametrize("ignore_stop", [True, False])
def test_where_no_job_can_be_paid_for_it_is_the_budget_that_ends_the_loop(ignore_stop):
    """So that the loop goes on where a later call gives it more, which the advisor's own word to stop forbids."""
    records = [job(1)]
    limits = Limits(jobs=9, trained_tokens=30_000 + 9_999, ignore_stop=ignore_stop)
    end = decide(plans(records), records, RULES, limits)
    assert end.reason == "trained_tokens"
    assert "the next job would take 10,000" in end.words


def test_plans_survive_the_tags():
    plan = Plan(2, {"n_epochs": 3, "learning_rate_multiplier": 0.5}, "n_epochs 2 to 3", ["FT101"], "w" * 9000)
    end = End("jobs", "the budget of 2 jobs is used")
    tags = {**plan.tag(), **Plan(1, AUTO).tag(), **end.tag(), "other": "tag"}
    assert all(len(text) < 8000 for text in tags.values())  # MLflow cuts longer ones silently
    again, ended = read(tags)
    assert [p.number for p in again] == [1, 2]
    assert again[1].hyperparameters == plan.hyperparameters
    assert ended == end


def test_keys_are_the_same_in_every_process():
    assert Plan(3, {}).key("a" * 32) == "a" * 32 + "-3"
