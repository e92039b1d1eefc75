"""The rules: complete, documented, and right on recorded curves."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from curve_cases import cases

from advisor import rules
from advisor.diagnosis import LABEL_OF, diagnose
from advisor.measure import Measurements, measure
from advisor.nouns import Curve, HyperParameters, Job
from advisor.rules import CATALOGUE, Threshold
from advisor.rules.ft201_overfitting import BARELY_AHEAD
from advisor.rules.measured import MEASURED
from advisor.tell.words import words

SECTIONS = (
    "What it looks for",
    "Why it matters",
    "Example",
    "What to change",
    "Risk of the change",
    "When it cannot tell",
    "References",
)
CURES = re.compile(r"increase|decrease|raise|lower|reduce|higher|more|fewer|smaller|-up|-down")
GUIDE = [  # the guide's advice, each line with the rule that carries it and the move it names
    ("FT301", "n_epochs", "up"),
    ("FT302", "n_epochs", "up"),
    ("FT305", "n_epochs", "up"),
    ("FT201", "n_epochs", "down"),
    ("FT202", "n_epochs", "down"),
    ("FT204", "n_epochs", "down"),
    ("FT303", "learning_rate_multiplier", "up"),
    ("FT103", "learning_rate_multiplier", "up"),
    ("FT401", "learning_rate_multiplier", "down"),
    ("FT201", "learning_rate_multiplier", "down"),
    ("FT601", "batch_size", "up"),
    ("FT401", "batch_size", "up"),
    ("FT301", "batch_size", "down"),
    ("FT304", "batch_size", "down"),
    ("FT203", "batch_size", "down"),
]

every_rule = pytest.mark.parametrize("rule", CATALOGUE, ids=lambda r: r.id)


def test_every_file_of_the_folder_is_in_the_catalogue():
    files = {p.stem for p in Path(rules.__file__).parent.glob("ft*.py")}
    listed = [type(rule).__module__.rsplit(".", 1)[1] for rule in CATALOGUE]
    assert sorted(listed) == sorted(files)
    assert len(set(listed)) == len(listed), "one rule, one file"


def test_ids_are_unique_and_in_order():
    ids = [rule.id for rule in CATALOGUE]
    assert ids == sorted(set(ids))


@every_rule
def test_the_file_is_named_by_id_and_symptom(rule):
    assert type(rule).__module__.endswith(f"{rule.id}_{rule.name}".lower().replace("-", "_"))
    assert not CURES.search(rule.name), "a name states the symptom, never the cure"


@every_rule
def test_the_docstring_has_the_fixed_sections_in_order(rule):
    assert tuple(re.findall(r"^    ## (.+)$", type(rule).__doc__, re.M)) == SECTIONS
    assert all(part.strip() for part in re.split(r"^    ## .+$", type(rule).__doc__, flags=re.M))


@every_rule
def test_every_number_among_its_attributes_knows_unit_and_origin(rule):
    limits = [v for v in vars(type(rule)).values() if isinstance(v, int | float) and not isinstance(v, bool)]
    assert all(isinstance(v, Threshold) and v.unit and v.origin for v in limits)


@every_rule
def test_without_any_curve_a_rule_fires_or_clears_only_on_what_it_needs_no_curve_for(rule):
    finding = rule.look(Measurements())
    assert finding.verdict == ("fires" if rule.id in ("FT101", "FT102") else "cannot_tell")
    assert finding.verdict != "cannot_tell" or finding.reason.startswith("cannot tell: ")


@pytest.mark.parametrize(("rule_id", "knob", "direction"), GUIDE)
def test_every_line_of_the_guide_is_a_move_of_its_rule(rule_id, knob, direction):
    rule = next(r for r in CATALOGUE if r.id == rule_id)
    m = Measurements()
    ways = {(move.knob, move.direction) for move in (*rule.act(m), *rule.act_by_guide(m))}
    assert (knob, direction) in ways
    assert rule.guide


@every_rule
def test_a_move_is_believed_only_where_nine_of_ten_were_right(rule):
    for move in rule.act(Measurements()):
        if move.aim == "loss" and (seen := MEASURED[rule.id].get(f"{move.knob} {move.direction}")):
            assert seen[0] >= 0.9 * seen[1], f"{rule.id} {move.knob} {move.direction}: {seen}"


def test_a_measured_rate_stands_beside_what_the_guide_says():
    finding = next(r for r in CATALOGUE if r.id == "FT601").fires(Measurements(), "reason")
    right, of = MEASURED["FT601"]["batch_size up"]
    assert [m.measured for m in finding.guide_moves] == [f"right on {right} of {of} jobs"]


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.name)
def test_recorded_curves(case):
    diagnosis = diagnose(measure(case.job))
    found = {f.rule: f.verdict for f in diagnosis.findings}
    assert diagnosis.label == case.label
    assert {rule: found[rule] for rule in case.expected} == case.expected


@every_rule
def test_every_verdict_that_a_recorded_curve_can_show_is_shown_by_one(rule):
    """A case fires each rule that one job's curves can fire; the others have tests of their own below."""
    needs_more = {"FT101", "FT103", "FT203"}  # no job, a size, a history
    shown = {c.expected.get(rule.id) for c in cases()}
    assert "fires" in shown or rule.id in needs_more


def look(rule_id, m):
    return next(r for r in CATALOGUE if r.id == rule_id).look(m)


@pytest.mark.parametrize(("examples", "verdict"), [(None, "cannot_tell"), (500, "clear"), (48_000, "fires")])
def test_a_large_dataset(examples, verdict):
    assert look("FT103", Measurements(n_train_examples=examples)).verdict == verdict


def test_a_history_without_any_loss_is_no_history():
    finding = look("FT101", measure(Job(), [Job(), Job()]))
    assert finding.verdict == "fires"
    assert "no job yet" not in words(finding.name), "there were three"
    assert look("FT101", measure(Job(), [overfitted(12, 1.0)])).verdict == "clear"


@pytest.mark.parametrize(
    ("full_valid", "told"),
    [
        (Curve(), "no validation loss was logged; a trend needs 3"),
        (Curve([1, 2], [1.4, 1.3]), "2 validation losses so far; a trend needs 3"),
        (Curve([1], [1.4]), "1 validation loss so far; a trend needs 3"),
        (Curve([1, 2, 2], [1.4, 1.3, 1.2]), "2 of 3 validation losses can be used: the others are no numbers, or repeat one"),
        (Curve([1, 2, 3], [float("nan")] * 3), "none of 3 validation losses is a number"),
        (Curve([1, 2, 3], [0, 0, 0]), "all 3 validation losses are 0: nothing was measured"),
    ],
)  # fmt: skip
def test_too_few_evaluations_are_told_by_what_there_is(full_valid, told):
    finding = look("FT102", measure(Job(full_valid=full_valid)))
    assert finding.verdict == "fires"
    assert told in finding.reason
    assert finding.evidence["usable"] < finding.evidence["limit"]


def test_a_job_without_a_validation_file_is_told_to_have_one():
    train = Curve([1, 2, 3], [2.0, 1.5, 1.2])
    advice = "give the job a validation file"
    assert advice in look("FT102", measure(Job(status="succeeded", train=train))).reason
    assert advice not in look("FT102", measure(Job(status="running", train=train))).reason


def test_a_loss_at_its_best_when_first_measured_may_have_fallen_before():
    train = Curve([1, 2, 3, 4], [2.0, 1.2, 0.6, 0.2])
    rising = Job(train=train, full_valid=Curve([1, 2, 3], [1.2, 1.5, 2.1]))
    assert look("FT202", measure(rising)).verdict == "cannot_tell"
    assert look("FT202", measure(replace(rising, base_valid_loss=1.1))).verdict == "clear"
    assert look("FT202", measure(replace(rising, base_valid_loss=2.0))).verdict == "fires"


@pytest.mark.parametrize("status", ["succeeded", "running"])
def test_losses_that_never_were_numbers_are_a_divergence(status):
    nothing = Curve([10, 20, 30], [float("nan")] * 3)
    finding = look("FT402", measure(Job(status=status, train=nothing, full_valid=nothing)))
    assert finding.verdict == "fires"
    assert "never was a number" in finding.reason


def overfitted(n_epochs, rate):
    step = np_steps = list(range(10, 110, 10))
    return Job(
        hyperparameters=HyperParameters(n_epochs, 8, rate),
        train=Curve(np_steps, [2, 1.5, 1.1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05]),
        full_valid=Curve(step, [2, 1.5, 1.2, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]),
    )


STEADY = Job(
    hyperparameters=HyperParameters(3, 8, 1.0), full_valid=Curve(range(10, 60, 10), [2, 1.6, 1.4, 1.31, 1.3])
)

IDLE = replace(
    STEADY, full_valid=Curve(range(10, 60, 10), [2.5, 2.499, 2.499, 2.498, 2.498]), base_valid_loss=2.5
)
BLOWN = replace(STEADY, full_valid=Curve(range(10, 60, 10), [2, 2.5, 3.2, 4, 4.5]))


@pytest.mark.parametrize(
    ("what", "before", "verdict"),
    [
        ("no job before", [], "cannot_tell"),
        ("more epochs overfitted before", [overfitted(12, 1.0)], "fires"),
        ("a higher rate overfitted before", [overfitted(5, 2.0)], "fires"),
        ("the one before was shorter: nothing was adjusted", [overfitted(3, 1.0)], "clear"),
        ("one between them did not overfit: it came back", [overfitted(12, 1.0), STEADY], "clear"),
        ("one between them blew up", [overfitted(12, 1.0), BLOWN], "fires"),
        ("one between them learned nothing", [overfitted(12, 1.0), IDLE], "fires"),
        (
            "one between them was cut short",
            [overfitted(12, 1.0), replace(STEADY, status="cancelled")],
            "fires",
        ),
        ("one between them showed nothing", [overfitted(12, 1.0), Job(status="failed")], "fires"),
        ("the one before did not overfit", [Job(hyperparameters=HyperParameters(12, 8, 1.0))], "clear"),
        ("the provider's choice before is no known adjustment", [overfitted(None, None)], "clear"),
    ],
)
def test_overfitting_that_persists(what, before, verdict):
    finding = look("FT203", measure(overfitted(5, 1.0), before))
    assert finding.verdict == verdict, what


def test_a_job_that_blew_up_is_no_earlier_overfitting():
    """Its validation loss rose too, but what persists is not what was there before."""
    job = overfitted(12, 4.0)
    jump = Curve(job.train.step, [2, 2.1, 2.4, 3, 4, 5, 6, 7, 8, 9])
    blown = Job(
        hyperparameters=job.hyperparameters, train=jump, full_valid=Curve(job.full_valid.step, jump.loss)
    )
    assert look("FT203", measure(overfitted(5, 1.0), [blown])).verdict == "clear"
    assert look("FT203", measure(blown, [job])).verdict == "clear"


@pytest.mark.parametrize(("training_ends", "asked"), [(0.05, True), (1.2, False)])
def test_overfitting_asks_for_a_lower_rate_where_training_is_well_ahead(training_ends, asked):
    job = overfitted(5, 1.0)
    near = Curve(job.train.step, [2 - (2 - training_ends) * i / 9 for i in range(10)])
    finding = look("FT201", measure(Job(train=near, full_valid=job.full_valid)))
    rate_down = ("learning_rate_multiplier", "down")
    assert (rate_down in {(m.knob, m.direction) for m in finding.moves}) == asked
    assert ("n_epochs", "down") in {(m.knob, m.direction) for m in finding.moves}
    assert [m.measured for m in finding.guide_moves] == ([] if asked else [BARELY_AHEAD])


def test_the_learning_rate_knob_is_the_one_that_the_job_has():
    job = overfitted(5, None)
    absolute = Job(
        hyperparameters=HyperParameters(5, 8, None, 1e-4), train=job.train, full_valid=job.full_valid
    )
    knobs = {m.knob for m in look("FT201", measure(absolute)).moves}
    assert "learning_rate" in knobs
    assert "learning_rate_multiplier" not in knobs


def test_every_label_comes_from_a_rule():
    assert {rule for rule, _ in LABEL_OF} <= {rule.id for rule in CATALOGUE}
