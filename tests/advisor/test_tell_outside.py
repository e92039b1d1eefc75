"""What goes out to shells, terminals and pages: lines to paste, plots, hostile names."""

import re
import shlex
import subprocess

import pytest
from tell_jobs import advice_on, history, made, overfitted, record

from advisor import advise, tell
from advisor.nouns import AUTO, Curve, HyperParameters, Job
from advisor.tell.command import submit_line
from advisor.tell.ink import Ink
from advisor.tell.terminal_plot import plot


def test_the_command_quotes_names_and_leaves_auto_to_the_provider():
    job = record(train_file={"path": "a b's.jsonl"}, experiment="my $HOME", seed=3)
    line = submit_line(HyperParameters(2, AUTO, 0.5), job)
    assert shlex.split(line) == [
        "tracker", "submit", "a b's.jsonl", "--valid", "valid.jsonl", "--model", "embedded-tiny",
        "--epochs", "2", "--learning-rate-multiplier", "0.5", "--seed", "3", "--experiment", "my $HOME",
    ]  # fmt: skip


def test_the_same_setting_again_takes_another_seed():
    job = record(epochs=3, batch=8, rate=1.0, seed=3)
    assert "--seed" not in submit_line(HyperParameters(3, 8, 1.0), job)
    assert "--seed 3" in submit_line(HyperParameters(3, 8, 2.0), job)


@pytest.mark.parametrize(
    "form", ["Keras history (CSV or JSON)", "TensorBoard event file", "OpenAI result CSV (plain or base64)"]
)
def test_the_rate_of_a_trainer_that_told_none_is_told_by_what_it_was_and_no_provider_is_named(form):
    """Keras has no multiplier and takes no jobs; a result CSV's provider has both."""
    losses = {"full_valid_loss": [1.9, 1.55, 1.42, 1.6, 1.9], "train_loss": [2.1, 1.6, 1.2, 0.8, 0.5]}
    curves = {name: [[i + 1, v] for i, v in enumerate(values)] for name, values in losses.items()}
    record = {
        "id": "a",
        "hyperparameters": {"n_epochs": 5},
        "source": {"format": form},
        "steps_per_epoch": 1,
    } | curves
    told = tell.text(advise([Job.from_record(record)]), [record])
    theirs = form.startswith("OpenAI")
    assert ("tracker submit" in told) == theirs
    assert ("x what it was" in told) != theirs


@pytest.mark.parametrize("tried", [AUTO, -1, None])
def test_a_trainers_batch_that_is_no_number_is_the_proposed_one(tried):
    record = {
        "logger": "Hugging Face Trainer",
        "hyperparameters": {"batch_size": tried, "learning_rate": 1e-4},
    }
    assert "per_device_train_batch_size=8" in submit_line(HyperParameters(3, 8, learning_rate=1e-4), record)
    assert "num_train_epochs=3" in submit_line(HyperParameters(3, AUTO, learning_rate=1e-4), record)


def test_markdown_cannot_be_broken_by_a_name():
    job = record(id="<script>*x*|y", model="a_b`c")
    page = tell.markdown(made(), [job])
    assert "<script>" not in page
    assert "\\*x\\*" in page


@pytest.mark.parametrize(
    "loss", [[], [[1, None]], [[1, 2.0]], [[1, 2.0], [2, 2.0]], [[1, 1e308], [2, -1e308]]]
)
def test_the_plot_survives_any_curve(loss):
    drawn = plot(Job.from_record({"full_valid_loss": loss}))
    assert "Infinity" not in drawn


def test_the_plot_puts_the_lowest_loss_at_the_bottom():
    drawn = plot(Job.from_record({"full_valid_loss": [[1, 3.0], [2, 1.0], [3, 2.0]]})).splitlines()
    rows = [line for line in drawn if "●" in line and "┤" in line]
    assert rows[0].index("●") < rows[-1].index("●"), "the first point is the highest"
    assert rows[0].split("┤")[0].strip() == "3"
    assert rows[-1].split("┤")[0].strip() == "1"


def test_the_command_line_knows_every_kind_of_budget():
    """The parser names them itself, for it may import nothing that takes time."""
    from advisor.propose.budget import KINDS
    from advisor.tell.parser import BUDGETS

    assert BUDGETS == KINDS


HOSTILE = "\x1b[2J\x1b]0;gone\x07\u202ered\x9b31m\r\n<script>"


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html], ids=lambda f: f.__name__)
def test_no_form_hands_on_what_a_terminal_would_obey(form):
    records = [record(1, id=f"first{HOSTILE}"), overfitted(2, id=HOSTILE, model=HOSTILE, experiment=HOSTILE)]
    advice = advice_on(records)
    page = form(advice, records)
    obeyed = {c for c in page if not c.isprintable()} - {"\n"}
    assert not obeyed
    assert "\\x1b[2J" in page.replace("\\\\", "\\").replace("\\[", "["), "shown, not dropped"
    assert "<script>" not in re.sub("```sh.*?```", "", page, flags=re.DOTALL) or form is tell.text
    assert advice.keep.job in {r["id"] for r in records}, "data keep the id as it is"


def test_a_command_line_of_hostile_names_is_read_back_as_they_are():
    line = submit_line(HyperParameters(2, 8, 1.0), record(1, model=f"it's \\ {HOSTILE}"))
    assert line.isprintable()
    echoed = subprocess.run(["bash", "-c", f"printf '%s|' {line}"], capture_output=True, check=True).stdout
    assert f"it's \\ {HOSTILE}".encode() in echoed.split(b"|")


@pytest.mark.parametrize("columns", [50, 80, 96, 200])
def test_words_and_plot_keep_to_the_readers_columns(columns):
    records = history()
    told = tell.text(advice_on(records), records, plot=True, ink=Ink(columns=columns))
    words, paste = told.split("\nPaste\n")
    assert max(map(len, words.splitlines())) <= min(columns, 96)
    assert paste.strip().startswith("tracker submit"), "a line to paste stays one line"


def test_markdown_says_why_a_rule_cannot_tell():
    records = [overfitted(1)]
    assert "Cannot tell FT203 overfitting persists: no earlier job on these data." in tell.markdown(
        advice_on(records), records
    )


def test_where_the_guide_alone_asks_for_a_change_that_is_said():
    """Of a large dataset the guide asks for a higher rate, and no measurement says whether that is right."""
    jobs = [record(1, rate=0.1, full=(1.8, 1.76, 1.75, 1.74, 1.74), train_loss=[], n_train_examples=500_000)]
    advice = advise([Job.from_record(j) for j in jobs])
    assert advice.proposal.because == ("FT103",)
    assert (
        tell.story.tell(advice, jobs).options[0].why
        == "FT103 large dataset, by the guide alone, which is not measured"
    )


def test_healthy_beside_a_validation_loss_that_rose_is_not_said_to_be_without_fault():
    step = [1, 2, 3, 4]
    job = Job(
        id="j",
        train=Curve(step, [1.26, 1.2, 1.19, 1.185]),
        full_valid=Curve(step, [1.072, 1.136, 1.2, 1.267]),
    )
    told = tell.text(advise([job], prior=False), [job])
    assert "healthy: No rule finds a fault, but validation loss stands well above its best." in told


def test_a_job_that_ended_no_better_than_before_training_is_not_called_sound():
    rising = [[s, 2.9 + s / 100] for s in range(1, 51)]
    jobs = [record(1, epochs=5, full=(2.72, 2.71, 2.77, 2.84, 3.02), train_loss=rising)]
    story = tell.story.tell(advise([Job.from_record(j) for j in jobs]), jobs)
    assert story.headline.startswith("healthy")
    assert "no better than before training" in story.meaning


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"source": {"format": 'job records as JSON ({"jobs": [...]})'}}, True),
        ({"run_id": "abcd1234", "key": "abcd"}, True),
        ({"run_id": "abcd1234"}, False),  # of a logger that nobody knows
    ],
)
def test_own_records_have_a_command_however_they_were_read_and_a_foreign_run_has_none(fields, known):
    found = {"hyperparameters": {"n_epochs": 3}, **fields}
    assert bool(submit_line(HyperParameters(2, 8, 1.0), found)) is known
