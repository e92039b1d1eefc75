"""What a proposal says that it takes: steps, tokens and money, beside the best job so far."""

import re

import pytest
from tell_jobs import record

import advisor
from advisor import tell
from advisor.nouns import Cost
from advisor.tell.price import price

ONE = {"n_epochs": [6], "batch_size": [4], "learning_rate_multiplier": [1.0]}


def advise(records, space=ONE, **options):
    jobs = [advisor.Job.from_record(r) for r in records]
    return advisor.advise(jobs, advisor.SearchSpace.from_record(space), **options)


def cost_of(records, **options):
    return advise(records, **options).proposal.to_record().get("cost")


def test_tokens_and_money_go_by_the_epochs_and_steps_by_the_batch_too():
    paid = record(epochs=3, batch=8, trained_tokens=30_000, cost_usd=0.9)  # 80 examples
    assert cost_of([paid]) == pytest.approx(
        {"steps": 120, "trained_tokens": 60_000, "usd": 1.8, "beside": "ftjob-1", "times_steps": 4, "times_tokens": 2}
    )  # fmt: skip


def test_a_proposal_is_set_against_the_best_job_and_not_the_newest():
    best, newest = record(1, epochs=3, full=(2.0, 1.8, 1.7)), record(2, epochs=12, full=(2.5, 2.4, 2.3))
    told = cost_of([best, newest])
    assert (told["beside"], told["times_tokens"]) == ("ftjob-1", 2)
    overfits = record(3, epochs=12, full=(1.6, 2.0, 2.4))
    assert cost_of([best, overfits])["beside"] == "ftjob-1", (
        "the best by its end, whatever checkpoint is kept"
    )
    assert cost_of([best, overfits], objective="best_checkpoint")["beside"] == "ftjob-3"
    unseen = [record(i, status="failed", full_valid_loss=[], train_loss=[]) for i in (1, 2)]
    assert cost_of(unseen)["beside"] == "ftjob-2", "where none has ended the newest"


def test_without_the_number_of_examples_steps_are_told_as_a_ratio_alone():
    told = cost_of([record(epochs=3, batch=8, n_train_examples=None, id=None)])
    assert told == {"beside": "job 1", "times_steps": 4, "times_tokens": 2}


def test_jobs_on_more_data_cost_as_much_more():
    fewer, more = record(1, full=(2.0, 1.8, 1.5), n_train_examples=40), record(2, n_train_examples=80)
    told = cost_of([fewer, more])
    assert (told["beside"], told["times_steps"], told["times_tokens"]) == ("ftjob-1", 8, 4)


def test_a_job_cut_short_does_not_make_an_epoch_cheap():
    cut = [record(i, status="cancelled", epochs=6, full=(2.5,), trained_tokens=5_000) for i in (2, 3)]
    assert cost_of([record(1, trained_tokens=30_000), *cut])["trained_tokens"] == 60_000


def test_before_the_first_job_only_amounts_are_known():
    known = {"n_train_examples": 100, "train_tokens": 7_000, "train_usd": 0.02}
    assert cost_of([], context=known) == pytest.approx({"steps": 150, "trained_tokens": 42_000, "usd": 0.12})
    assert "cost" not in advise([]).proposal.to_record(), "the provider chooses"


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_every_form_tells_it_of_the_proposal_and_of_the_alternatives(form):
    records = [record(trained_tokens=30_000, cost_usd=0.9)]
    page = re.sub(r"<[^>]*>|\s+", " ", form(advise(records, ONE | {"n_epochs": [6, 12]}), records))
    assert re.search(r"of ftjob-1; about (120|240) steps, (60|120),000 tokens, \$(1.80|3.60)", page)
    assert re.search(r"(4|8) x the steps and (2|4) x the tokens (?!of)", page)


@pytest.mark.parametrize(
    ("cost", "words", "brief"),
    [
        (None, "", ""),
        (Cost(), "", ""),
        (Cost(times_tokens=1.333, beside="a"), "1.3 x the tokens of a", "1.3 x the tokens"),
        (
            Cost(750, 6e5, 0.004, "a", 1.0, 1.01),
            "as much as a; about 750 steps, 600,000 tokens, less than a cent",
            "1 x the steps and 1 x the tokens",
        ),
        (Cost(steps=123_456), "about 123,000 steps", ""),
        (Cost(steps=1), "about 1 step", ""),
        (Cost(usd=0.004), "less than a cent", ""),
        (Cost(usd=12345.678), "about $12,300", ""),
        (Cost(beside="a", times_steps=125.4), "130 x the steps of a", "130 x the steps"),
    ],
)
def test_costs_are_told_in_round_figures(cost, words, brief):
    assert price(cost) == words
    assert price(cost, brief=True) == brief


@pytest.mark.parametrize(
    "other",
    [
        {"status": "cancelled", "epochs": 12, "full_valid_loss": [[20, 1.2]]},
        {"full_valid_loss": [[20, 1.2], [40, None], [60, None]]},
        {"full_valid_loss": [], "train_loss": [[s, 2.0 - s / 40] for s in range(1, 60)]},
    ],
    ids=["cancelled early", "no number at the end", "never validated"],
)
def test_a_job_that_came_to_no_end_of_its_own_is_not_the_best(other):
    assert cost_of([record(1), record(2, **other)])["beside"] == "ftjob-1"


def test_jobs_on_other_data_say_nothing_of_what_these_take():
    elsewhere = record(1, n_train_examples=50_000, trained_tokens=3_000_000, valid_file={"sha256": "other"})
    here = record(2, n_train_examples=None, trained_tokens=30_000, valid_file={"sha256": "this"})
    told = cost_of([elsewhere, here])
    assert (told.get("steps"), told["trained_tokens"]) == (None, 60_000)
    made = advise([elsewhere, here], {**ONE, "n_epochs": [5, 6]}, budget={"trained_tokens": 50_000})
    assert made.proposal.hyperparameters.n_epochs == 5
    assert "does not pay" not in (made.proposal.reason or "")


def test_a_step_is_taken_for_the_examples_left_over_too():
    told = cost_of([record(epochs=3, batch=8, n_train_examples=81)])
    assert told["steps"] == 6 * 21


def test_a_running_job_is_not_the_best():
    running = record(2, status="running", full=(1.0,), epochs=12)
    assert cost_of([record(1), running])["beside"] == "ftjob-1"
