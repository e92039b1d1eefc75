"""What a loop shows: figures, verdicts, the model to keep."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from experiments.state import End, Plan
from experiments.table import Result, cells, columns, keep_words, kept, markdown, row, terminal

SETTING = {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 1.5}


def record(number, losses, **more):
    return {
        "id": f"ftjob-{number}",
        "status": "succeeded",
        "hyperparameters": SETTING,
        "full_valid_loss": losses,
        "fine_tuned_model": f"ft:{number}",
        "model": "base",
    } | more


@pytest.mark.parametrize(
    ("losses", "best", "last"),
    [
        ([[10, 2.0], [20, 1.5], [30, 1.8]], 1.5, 1.8),
        ([[10, 2.0], [20, "NaN"]], 2.0, 2.0),
        ([[10, None]], None, None),
        ([], None, None),
    ],
)
def test_best_and_last_loss(losses, best, last):
    found = row(Plan(1, SETTING), record(1, losses))
    assert (found["best_valid_loss"], found["last_valid_loss"]) == (best, last)


def test_the_batch_loss_stands_in_where_the_whole_set_is_not_measured():
    found = row(Plan(1, SETTING), record(1, None, valid_loss=[[5, 1.2], [9, 1.1]]))
    assert found["last_valid_loss"] == 1.1


@pytest.mark.parametrize(
    ("keep", "more", "model", "loss"),
    [
        ({"job": "ftjob-2", "step": 20}, {}, "ft:2", 1.0),
        (
            {"job": "ftjob-2", "step": 20},
            {"checkpoints": [{"step": 10, "model": "c:10"}, {"step": 20}]},
            "ft:2",
            1.0,
        ),
        (
            {"job": "ftjob-2", "step": 10},
            {"checkpoints": [{"step": 10, "model": "c:10"}, {"step": 20}]},
            "c:10",
            0.9,
        ),
    ],
)
def test_the_kept_model_is_the_checkpoint_that_the_advisor_names(keep, more, model, loss):
    records = [record(1, [[10, 2.0]]), record(2, [[10, 0.9], [20, 1.0]], **more)]
    found = kept(keep, records)
    assert (found["number"], found["model"], found["full_valid_loss"]) == (2, model, loss)
    assert model in keep_words(found)


def test_the_base_model_is_kept_where_no_job_improved_on_it():
    found = kept({"job": None, "step": 0}, [record(1, [[10, 9.0]], base_valid_loss=3.0)])
    assert found == {"job": None, "step": 0, "number": None, "model": "base", "full_valid_loss": 3.0}
    assert keep_words(found).startswith("Keep the base model (validation loss 3.0000)")


@pytest.fixture
def result():
    loop = SimpleNamespace(name="pair", run_id="r" * 32, experiment="x")
    plans = [
        Plan(1, SETTING, "first job", diagnosis="slow_convergence"),
        Plan(2, SETTING, "n_epochs 2 to 4", ("FT302",), "a lower | loss", "diverged"),
    ]
    records = [record(1, [[10, 2.0]], trained_tokens=100), record(2, [], status="failed")]
    return Result.of(
        loop, plans, records, End("jobs", "the budget of 2 jobs is used"), {"job": "ftjob-1", "step": 10}
    )


def test_the_terminal_shows_every_job_in_eighty_columns(result):
    out = io.StringIO()
    Console(file=out, width=80).print(terminal(result))
    text = out.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 80
    for words in (
        "slow convergence",
        "failed: diverged",
        "n_epochs 2 to 4",
        "FT302: a lower | loss",
        "x 1.5",
    ):
        assert words in text


def test_markdown_is_one_table(result):
    plans = [Plan(1, SETTING, "first job"), Plan(2, SETTING, "n_epochs 2 to 4", (), "a lower | loss")]
    text = markdown("pair", plans, [record(1, [[10, 2.0]]), record(2, [])], {"job": "ftjob-1", "step": 10})
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert all(line.replace("\\|", "").count("|") == len(columns([])) + 1 for line in rows)


def test_json_has_totals_and_says_why_it_ended(result):
    found = result.to_record()
    assert found["end"]["reason"] == "jobs"
    assert found["totals"] == {"jobs": 2, "trained_tokens": 100, "cost_usd": None}
    assert result.succeeded


def test_evaluation_metrics_have_columns_of_their_own():
    rows = [row(Plan(1, SETTING), record(1, [], metrics={"f1": 0.25})), row(Plan(2, SETTING), record(2, []))]
    at = columns(rows).index("f1")
    assert [texts[at] for texts in cells(rows)] == ["0.25", ""]
