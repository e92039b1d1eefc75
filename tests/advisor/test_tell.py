"""What is told of a piece of advice, in every form: diagnosis, figures, reasons, what to keep."""

import pytest
from tell_jobs import advice_on, history, made, overfitted, record

from advisor import tell
from advisor.diagnosis import diagnose
from advisor.measure import measure
from advisor.nouns import Advice, Diagnosis, Finding, HyperParameters, Job, Live, Move, Proposal
from advisor.rules.measured import MEASURED
from advisor.tell import learned, words
from advisor.tell.live_line import live_line
from advisor.tell.request import parse
from advisor.tell.story import tell as tell_story


@pytest.fixture(scope="module")
def told():
    records = history()
    return advice_on(records), records


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        (1234.5678, "1235"),
        (1e-5, "1e-05"),
        (float("nan"), "NaN"),
        (None, "unknown"),
        ([1, 2.5], "1, 2.5"),
    ],
)
def test_figures_are_written_as_one_would(value, text):
    assert words.figure(value) == text


def test_a_limit_stands_beside_its_figure():
    pairs = words.evidence_pairs({"rise": 0.3, "limit": 0.05, "swing": 2, "swing_limit": 1, "best_step": 7})
    assert pairs == [("rise", "0.3", "0.05"), ("swing", "2", "1"), ("best step", "7", None)]


def test_what_carries_a_setting_that_no_rule_asks_for_agrees_with_what_is_expected_of_it():
    unseen = record(full_valid_loss=[], valid_file=None)
    advice = advice_on([unseen])
    assert "no figures" in advice.proposal.expect
    page = " ".join(tell.text(advice, [unseen]).split())
    assert "no single rule: a usual setting, for there is no validation loss" in page
    assert "the curves of the jobs so far promise most" not in page
    few = record(full=(2.0, 1.9))
    page = " ".join(tell.text(advice_on([few], guide_only=True), [few]).split())
    assert "the guide's rules to the letter" in page
    assert "promise most" not in page, "the guide asks no curve"
    seen = Advice(Diagnosis("healthy", ()), (Proposal(HyperParameters(2, 8, 1.0), (), "loss about 1.7"),))
    assert "the curves of the jobs so far promise most" in " ".join(tell.text(seen, [few]).split())


def test_a_risk_is_told_of_a_change_that_is_made():
    moves = (Move("n_epochs", "down"), Move("learning_rate_multiplier", "down"))
    found = Finding("FT201", "overfitting", "fires", {}, "it rose", moves)
    told = {}
    for epochs in (2, 5):
        made = Proposal(HyperParameters(epochs, 8, 0.5), ("FT201",), "about 1.7")
        told[epochs] = tell.text(Advice(Diagnosis("overfitting", (found,)), (made,)), [overfitted()])
    assert "a shorter run is not the beginning" in told[2]
    assert "shorter" not in told[5], "the epochs stay"


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_every_form_tells_diagnosis_figures_change_reason_and_what_to_keep(told, form):
    page = form(*told)
    advice = told[0]
    finding = next(f for f in advice.diagnosis.fired if f.rule == "FT201")
    assert "overfitting" in page.lower()
    for figure in (
        words.figure(finding.evidence["rise_above_best"], 3),
        words.figure(finding.evidence["limit"], 3),
    ):
        assert figure in page
    assert words.figure(advice.proposal.hyperparameters.n_epochs) in page
    assert "ftjob-3 at step 20, validation loss 1.6" in page
    assert "tracker submit" in page


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_a_healthy_job_is_called_so_explicitly(form):
    page = form(
        Advice(
            Diagnosis("healthy", (Finding("FT201", "overfitting", "clear"),)),
            (Proposal(None, stop=True, reason="enough"),),
        ),
        [record()],
    )
    assert "No problem found" in page
    assert "enough" in page


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_what_does_not_go_well_is_not_listed_as_clear(form):
    """Of every other rule, "clear" says that its trouble was not found."""
    looked = [Finding("FT201", "overfitting", "clear"), Finding("FT601", "going-well", "clear")]
    page = form(made(findings=looked), [record()])
    assert "FT201" in page
    assert "going well" not in page


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_the_guide_is_quoted_with_its_rate_where_measurement_disagrees(form):
    rate = Move("batch_size", "down", measured="right on 21 of 82 jobs")
    finding = Finding(
        "FT201",
        "overfitting",
        "fires",
        {"rise": 0.2, "limit": 0.05},
        "it rose",
        (Move("n_epochs", "down"),),
        (rate,),
    )
    page = form(made(findings=[finding]), [record()])
    assert "right on 21 of 82 jobs" in page
    assert "no reason by itself" in page


@pytest.mark.parametrize("knob", ["learning_rate", "learning_rate_multiplier"])
def test_a_rate_is_measured_whatever_its_scale(knob):
    right, possible = MEASURED["FT201"]["learning_rate_multiplier down"]
    assert f"right on {right} of {possible} jobs" in words.move(Move(knob, "down"), "FT201")


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_several_moves_are_graded(form):
    moves = (Move("n_epochs", "down"), Move("learning_rate_multiplier", "down"))
    page = form(made(findings=[Finding("FT201", "overfitting", "fires", {}, "it rose", moves)]), [record()])
    first, then = (page.index(word) for word in ("epochs down", "learning rate multiplier down"))
    assert "if that is not enough" in " ".join(page[first:then].split())


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_stop_is_said_with_its_reason_and_the_setting_if_forced(form):
    page = form(made(stop=True), [record()])
    assert "Stop" in page
    assert "two jobs in a row brought nothing" in page
    assert "--epochs 2" in page


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
@pytest.mark.parametrize(
    "jobs", [[], [{}], [{"status": "running", "train_loss": [[1, "NaN"]]}], [{"full_valid_loss": [[1, 2.0]]}]]
)
def test_little_or_nothing_to_tell_of_is_no_error(form, jobs):
    assert form(advice_on(jobs), jobs)


def test_a_running_job_gets_its_word():
    jobs = [record(1, full=(2.0, 1.5, 1.4)), record(2, epochs=8, full=(2.5, 2.4, 3.9), status="running")]
    page = tell.text(advice_on(jobs), jobs)
    assert "Live" in page
    assert ("Stop it now" in page) or ("Let it run" in page)


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_a_running_job_is_not_told_of_as_if_it_had_ended(form):
    falling = [record(1, epochs=8, full=(2.8, 2.5, 2.2, 1.9), total_steps=80, status="running")]
    page = " ".join(form(advice_on(falling), falling).split())
    assert "The loss is still falling" in page
    assert "What the curves show so far" in page
    assert "when the job ended" not in page
    assert "when the job ended" in form(advice_on([record(full=(2.8, 2.5, 2.2, 1.9))]), [record()])


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_a_job_that_failed_without_a_loss_is_said_to_have_failed(form):
    failed = [record(status="failed", train_loss=[], full_valid_loss=[], base_valid_loss=None)]
    page = form(advice_on(failed), failed)
    assert "The job failed" in page
    assert "no job yet" not in page


@pytest.mark.parametrize("form", [tell.text, tell.html])
def test_rules_that_lack_the_same_are_told_of_once(form):
    jobs = [record(full_valid_loss=[], base_valid_loss=None)]
    assert " ".join(form(advice_on(jobs), jobs).split()).count("fewer than 3 finite validation losses") == 1


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_a_healthy_job_is_not_said_to_be_the_best(form):
    settled = [record(full=(1.5, 1.2, 1.19, 1.19, 1.19, 1.19))]
    page = form(advice_on(settled), settled)
    assert "whether another setting does better they do not tell" in " ".join(page.split())


def test_a_verdict_in_one_line_names_what_is_to_be_noted_of_a_healthy_job():
    hidden = Finding("FT306", "hidden-fall", "fires")
    assert words.verdict(Diagnosis("healthy", (hidden,))) == "healthy, to be noted: FT306 hidden fall"
    assert words.verdict(Diagnosis("healthy", (Finding("FT601", "going-well", "fires"),))) == "healthy"
    assert words.verdict(Diagnosis("slow_convergence", (hidden,))) == "slow convergence"


def test_the_line_of_a_running_job_gives_the_reason_of_its_diagnosis():
    nothing = [[s, "NaN"] for s in (1, 2, 3)]
    job = Job.from_record(record(status="running", train_loss=nothing, full_valid_loss=nothing))
    line = live_line(job, diagnose(measure(job)), Live())
    assert "diverged (FT402" in line
    assert "FT102" not in line


def test_the_newest_job_is_told_of_whatever_the_order_of_the_records():
    asked = parse(
        [overfitted(2, train_file={"path": "new.jsonl"}), record(1, train_file={"path": "old.jsonl"})]
    )
    page = tell.text(advice_on(asked.records), asked.told)
    assert page.startswith("ftjob-2")
    assert "new.jsonl" in page
    assert "old.jsonl" not in page


def test_only_jobs_that_differ_in_one_knob_alone_teach_of_it():
    jobs = [Job.from_record(r) for r in history()]
    effects = learned.effects(jobs)
    assert {k: [(e.first, e.second) for e in v] for k, v in effects.items()} == {
        "n_epochs": [(1, 2)],
        "learning_rate_multiplier": [(2, 3)],
    }
    sentence = effects["n_epochs"][0].sentence(learned.gain_so_far(jobs))
    assert "3 → 5 (jobs 1 and 2): 1.9 → 1.7, better by 0.2 (15% of the gain so far)" in sentence
    assert "better by 0.2 (20 times the gain so far)" in effects["n_epochs"][0].sentence(0.01)


@pytest.mark.parametrize("form", [tell.text, tell.markdown, tell.html])
def test_of_many_settings_few_are_told_in_full_and_a_risk_once(form):
    jobs = [overfitted(1)]
    advice = advice_on(jobs, n=9)
    assert len(advice.proposals) == 9
    page = " ".join(form(advice, jobs).split())
    assert "Next 4 of 9" in page
    assert "Next 5 to 9" in page
    assert "Next 5 of 9" not in page
    assert "no measured rule" not in page[page.index("Next 5 to 9") :], "figures and costs alone"
    risks = [o.risk for o in tell_story(advice, jobs).options if o.risk]
    assert len(risks) == len(set(risks)) < 4
    if form is tell.text:
        assert page.count("tracker submit") == 9


def test_an_alternative_in_brief_is_not_cut_within_its_brackets():
    said = "62% chance of a gain; no measured rule asks for epochs up (the guide does: FT601; right on 1 of 9 jobs); more"
    settings = [HyperParameters(e, 8, 1.0) for e in (2, 3)]
    made = Advice(
        Diagnosis("healthy", ()),
        (Proposal(settings[0], (), "other"),),
        alternatives=(Proposal(settings[1], (), said),),
    )
    page = " ".join(tell.text(made, [Job.from_record(record())]).split())
    assert "right on 1 of 9 jobs)" in page
    assert "more" not in page.split("Or ")[1]
