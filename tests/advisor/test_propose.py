"""What a proposal may be: inside the space, never tried, said in words; and when the word is stop."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.nouns import AUTO, Diagnosis, Finding, HyperParameters, Job, Move, SearchSpace
from advisor.propose import keep, propose
from advisor.propose.limits import broken_settings
from advisor.propose.objective import sign
from advisor.propose.series import blew_up

LISTS = {
    "n_epochs": [1, 2, 3, 5, 8, 12],
    "batch_size": [4, 8, 16, 32],
    "learning_rate_multiplier": [0.1, 0.4, 1.6],
}
RANGES = {
    "n_epochs": {"min": 1, "max": 10},
    "batch_size": {"min": 2, "max": 64},
    "learning_rate_multiplier": {"min": 0.1, "max": 8},
}
HEALTHY = Diagnosis("healthy")


def job(epochs=3, batch=8, rate=0.4, ends=(2.0, 1.5, 1.3), name="job-0", **fields) -> Job:
    """A finished job of 80 examples with one full validation loss an epoch."""
    per_epoch = math.ceil(80 / batch)
    record = {
        "id": name,
        "status": "succeeded",
        "n_train_examples": 80,
        "base_valid_loss": 3.0,
        "hyperparameters": {"n_epochs": epochs, "batch_size": batch, "learning_rate_multiplier": rate},
        "full_valid_loss": [[per_epoch * (i + 1) * epochs / len(ends), v] for i, v in enumerate(ends)],
        "train_loss": [[s, 3.0 - 1.5 * s / (per_epoch * epochs)] for s in range(1, per_epoch * epochs + 1)],
    }
    return Job.from_record(record | fields)


def knobs(proposal) -> tuple:
    h = proposal.hyperparameters
    return h.n_epochs, h.batch_size, h.learning_rate_multiplier


def ask(jobs, space=LISTS, **more):
    return propose(jobs, HEALTHY, SearchSpace.from_record(space), **more)


# --- inside the space, never twice -------------------------------------------------------------------------------

loss = st.one_of(st.floats(0, 1e4), st.sampled_from([math.nan, math.inf, -math.inf, None]))
step = st.one_of(st.integers(0, 60), st.floats(0, 60), st.just(math.nan))
series = st.lists(st.tuples(step, loss).map(list), max_size=8)
knob = st.one_of(st.none(), st.sampled_from([-1, "auto"]), st.floats(0.01, 300), st.integers(1, 100))
broken_job = st.fixed_dictionaries(
    {
        "hyperparameters": st.fixed_dictionaries(
            {"n_epochs": knob, "batch_size": knob, "learning_rate_multiplier": knob}
        ),
        "status": st.sampled_from([None, "succeeded", "failed", "cancelled", "running", "queued", "paused"]),
        "train_loss": series,
        "valid_loss": series,
        "full_valid_loss": series,
    },
    optional={
        "base_valid_loss": st.one_of(st.none(), st.floats(0, 100)),
        "n_train_examples": st.one_of(st.none(), st.integers(0, 5000)),
        "total_steps": st.one_of(st.none(), st.integers(0, 100)),
        "model": st.sampled_from(["a", "b"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(broken_job, min_size=1, max_size=4),
    st.sampled_from([LISTS, RANGES]),
    st.integers(1, 3),
    st.sampled_from(["final", "best_checkpoint", "exact_match"]),
    st.sampled_from([None, False]),
)
def test_whatever_the_series_every_proposal_is_inside_the_space_and_new(
    records, space_record, n, objective, prior
):
    jobs = [Job.from_record(r) for r in records]
    space = SearchSpace.from_record(space_record)
    made, alternatives = propose(jobs, HEALTHY, space, n=n, objective=objective, prior=prior)
    tried = {(j.hyperparameters.n_epochs, j.hyperparameters.batch_size, j.hyperparameters.learning_rate_multiplier)
             for j in jobs if (j.model or "") == (jobs[-1].model or "")}  # fmt: skip
    asked = [knobs(p) for p in [*made, *alternatives]]
    assert len(made) == n
    assert len(set(asked)) == len(asked)
    assert not tried & set(asked)
    assert not any("nan" in p.expect or "inf " in p.expect for p in [*made, *alternatives])
    for values in asked:
        assert all(k.contains(v) for k, v in zip(space.knobs().values(), values, strict=True))


def test_a_loop_goes_through_the_whole_space_without_repeating_and_then_says_stop():
    space = {"n_epochs": [1, 2], "batch_size": [4, 8], "learning_rate_multiplier": [0.5, 1.0]}
    jobs = []
    for i in range(8):
        made, _ = ask(jobs, space, context={"n_train_examples": 80})
        epochs, batch, rate = knobs(made[0])
        jobs.append(job(epochs, batch, rate, ends=[2.5] * epochs, name=f"job-{i}"))
    assert len({knobs(j) for j in jobs}) == 8
    (last,), _ = ask(jobs, space)
    assert last.stop
    assert last.hyperparameters is None
    assert "tried" in last.reason


def test_pending_jobs_are_taken_too():
    first, _ = ask([job()])
    epochs, batch, rate = knobs(first[0])
    pending = job(epochs, batch, rate, ends=(), status="queued", train_loss=[], name="job-1")
    second, _ = ask([job(), pending])
    assert knobs(second[0]) != knobs(first[0])


def test_several_proposals_differ_from_each_other():
    made, _ = ask([job()], n=4)
    assert len({knobs(p) for p in made}) == 4


# --- the first job -----------------------------------------------------------------------------------------------


def test_with_no_job_and_no_context_every_knob_is_left_to_the_provider():
    made, _ = ask([])
    assert knobs(made[0]) == (AUTO, AUTO, AUTO)


def test_with_context_the_first_job_is_concrete_and_fewer_examples_get_more_epochs():
    few, _ = ask([], context={"n_train_examples": 50})
    many, _ = ask([], context={"n_train_examples": 5000})
    assert knobs(few[0])[0] >= knobs(many[0])[0]


# --- obvious cases -----------------------------------------------------------------------------------------------


def test_far_too_small_a_learning_rate_is_raised():
    made, _ = ask([job(rate=0.1, epochs=3, ends=(2.98, 2.96, 2.95))])
    epochs, _, rate = knobs(made[0])
    assert rate > 0.1 or epochs > 3


def test_a_job_that_only_got_worse_gets_less_training():
    made, _ = ask(
        [job(rate=1.6, epochs=12, batch=4, ends=[1.2, 1.5, 1.9, 2.3, 2.6, 2.8, 3, 3.2, 3.4, 3.5, 3.6, 3.7])]
    )
    epochs, batch, rate = knobs(made[0])
    assert epochs * rate / batch < 12 * 1.6 / 4


def test_a_diverged_job_gets_a_lower_learning_rate():
    broken = job(rate=1.6, status="failed", full_valid_loss=[], train_loss=[[1, 3.0], [2, 9.0], [3, "NaN"]])
    made, _ = ask([broken])
    assert knobs(made[0])[2] < 1.6


FALLING = [[s, 3.0 - s / 20] for s in range(1, 21)]
BLOWN_UP = {
    "ends as no number": ([[1, 3.0], [2, 2.9], [3, "NaN"], [4, "NaN"]], True),
    "far above its start": ([[1, 3.0], [2, 2.9], [3, 8.0], [4, 9.0], [5, 9.5], [6, 9.5]], True),
    "no number from the first step": ([[1, "NaN"], [2, "NaN"], [3, "NaN"]], True),
    "falling when its server died": (FALLING, False),
    "no losses at all": ([], False),
}


@pytest.mark.parametrize(("losses", "blown"), BLOWN_UP.values(), ids=BLOWN_UP)
def test_a_failed_job_has_blown_up_only_where_its_losses_say_so(losses, blown):
    failed = job(status="failed", full_valid_loss=[], train_loss=losses)
    assert blew_up(failed, 3.0) is blown


def test_a_value_that_the_log_lacks_at_the_end_is_no_blow_up_where_the_model_is_alive():
    alive = job(train_loss=[*FALLING, [30, None]], full_valid_loss=[[10, 2.0], [30, 1.5]])
    assert not blew_up(alive, 3.0)


def test_a_setting_that_succeeded_hotter_lifts_the_bar():
    broken = job(rate=0.1, status="failed", full_valid_loss=[], train_loss=[[1, 3.0], [2, 2.9], [3, "NaN"]])
    assert len(broken_settings([broken], "learning_rate_multiplier", 3.0)) == 1
    assert len(broken_settings([job(rate=0.4), broken], "learning_rate_multiplier", 3.0)) == 0
    hotter = job(rate=1.6, status="failed", full_valid_loss=[], train_loss=[[1, 3.0], [2, 2.9], [3, "NaN"]])
    left = broken_settings([job(rate=0.4), broken, hotter], "learning_rate_multiplier", 3.0)
    assert left.tolist() == [[3.0, 8.0, 1.6]]


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_the_unit_of_the_loss_does_not_matter(factor):
    ends = (2.0, 1.5, 1.3)
    scaled = job(
        ends=[factor * v for v in ends],
        base_valid_loss=3.0 * factor,
        train_loss=[[s, factor * (3.0 - s / 20)] for s in range(1, 31)],
    )
    plain = job(ends=ends, train_loss=[[s, 3.0 - s / 20] for s in range(1, 31)])
    assert knobs(ask([scaled])[0][0]) == knobs(ask([plain])[0][0])


@pytest.mark.parametrize("missing", ["n_epochs", "batch_size", "learning_rate_multiplier"])
def test_a_history_that_lacks_a_knob_still_gives_figures(missing):
    knobs_known = {"n_epochs": 5, "batch_size": 8, "learning_rate_multiplier": 0.4} | {missing: None}
    made, _ = ask([job(hyperparameters=knobs_known, ends=(1.4, 1.1, 1.2, 1.5, 1.9))])
    assert "nan" not in made[0].expect
    assert "best so far 1.9" in made[0].expect


def test_one_job_that_blew_up_does_not_set_the_scale_for_the_others():
    """Without a told base loss it is the middle of first losses, not the highest."""
    fields = {"base_valid_loss": None}
    jobs = [job(rate=r, name=str(r), **fields) for r in (0.1, 0.4)]
    wild = job(rate=1.6, ends=(50.0, 60.0, 70.0), base_valid_loss=None, train_loss=[[1, 3.0], [30, 60.0]])
    assert knobs(ask([jobs[0], wild, jobs[1]])[0][0])[2] < 1.6


# --- stop, budget, scales ----------------------------------------------------------------------------------------


def test_stop_comes_with_a_reason_and_the_setting_it_would_try_if_forced():
    space = {"n_epochs": [1, 2, 3], "batch_size": [8], "learning_rate_multiplier": [0.1, 0.4, 1.6, 3.2]}
    jobs = [
        job(e, 8, r, ends=[1.0 + 0.5 * abs(math.log2(r / 0.4)) + 0.05 * i for i in range(e)], name=f"{e}-{r}")
        for e in (1, 2, 3) for r in (0.1, 0.4, 1.6)
    ]  # fmt: skip
    made, _ = ask(jobs, space)
    assert made[0].stop
    assert made[0].hyperparameters is not None
    assert "%" in made[0].reason


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (0, "budget of jobs is used up"),
        ({"usd": 0}, "budget of usd is used up"),
        ({"trained_tokens": 10}, "does not pay for one epoch"),
    ],
)
def test_a_budget_that_is_used_up_stops_the_loop(budget, words):
    made, _ = ask([job(trained_tokens=3000)], budget=budget)
    assert made[0].stop
    assert words in made[0].reason


def test_a_budget_of_tokens_bounds_the_epochs():
    made, alternatives = ask([job(epochs=3, trained_tokens=3000)], budget={"trained_tokens": 2000}, n=3)
    assert all(knobs(p)[0] <= 2 for p in [*made, *alternatives])


def test_a_budget_of_an_unknown_kind_is_refused_with_the_kinds_known():
    with pytest.raises(ValueError, match="trained_tokens"):
        ask([job()], budget={"hours": 3})


@pytest.mark.parametrize("budget", [True, "3", {"usd": "x"}, {"jobs": float("nan")}])
def test_a_budget_that_is_no_number_is_refused_by_name(budget):
    with pytest.raises(ValueError, match=r"budget is .*expected a number of jobs"):
        ask([job()], budget=budget)


def test_asking_for_no_proposal_is_refused():
    with pytest.raises(ValueError, match="n is 0; expected 1 or more"):
        ask([job()], n=0)


@pytest.mark.parametrize(
    ("name", "values"),
    [("learning_rate_multiplier", [0.02, 0.05, 0.1, 0.2]), ("learning_rate", [1e-5, 1e-4, 1e-3])],
)
def test_legacy_multipliers_and_absolute_rates_are_scales_of_their_own(name, values):
    space = {"n_epochs": [1, 2, 3, 5], "batch_size": [8, 16], name: values}
    one = job(hyperparameters={"n_epochs": 3, "batch_size": 8, name: values[1]})
    made, _ = ask([one], space)
    assert getattr(made[0].hyperparameters, name) in values


def test_jobs_on_other_data_are_warm_start_and_no_losses_of_this_task():
    """There 1.6 was far too high; here one job stands at the middle rate."""
    elsewhere = [
        job(rate=r, ends=e, name=f"old-{r}", valid_file={"sha256": "old"})
        for r, e in ((0.1, (0.3, 0.25, 0.2)), (0.4, (0.6, 0.8, 1.2)), (1.6, (2.0, 2.5, 3.0)))
    ]
    here = job(rate=0.4, ends=(2.0, 1.5, 1.3), valid_file={"sha256": "new"})
    warm, _ = ask([*elsewhere, here])
    assert "best so far 1.3" in warm[0].expect
    assert keep([*elsewhere, here]).job == "job-0"


# --- words -------------------------------------------------------------------------------------------------------


def test_a_proposal_names_the_rules_that_ask_for_it_and_those_that_speak_against():
    up = Finding("FT1", "low", "fires", moves=(Move("learning_rate_multiplier", "up"),))
    down = Finding("FT2", "high", "fires", moves=(Move("learning_rate_multiplier", "down"),))
    quiet = Finding("FT3", "quiet", "clear", moves=(Move("learning_rate_multiplier", "up"),))
    slow = job(rate=0.1, epochs=12, batch=4, ends=[2.99, 2.98])
    made, _ = propose([slow], Diagnosis("underfitting", (up, down, quiet)), SearchSpace.from_record(LISTS))
    assert knobs(made[0])[2] > 0.1
    assert made[0].because == ("FT1",)
    assert "against it: FT2" in made[0].expect
    assert "best so far 2.98" in made[0].expect


NO_LOSSES = {
    "nothing known": [Job.from_record({})],
    "queued": [job(status="queued", full_valid_loss=[], train_loss=[])],
    "all losses null": [job(full_valid_loss=[[10, None], [20, None]], train_loss=[[1, None]])],
    "no base loss either": [job(full_valid_loss=[], train_loss=[], base_valid_loss=None)],
    "five that never told a loss": [
        job(rate=r, name=str(r), full_valid_loss=[], train_loss=[]) for r in (0.1, 0.2, 0.4, 0.8, 1.6)
    ],
}


@pytest.mark.parametrize("jobs", NO_LOSSES.values(), ids=NO_LOSSES)
def test_where_no_loss_was_measured_no_figure_is_told(jobs):
    made, alternatives = ask(jobs)
    for p in [*made, *alternatives]:
        assert "no validation loss measured yet" in p.expect
        assert not any(c.isdigit() or c == "%" for c in p.expect)
        assert not p.stop


def test_a_running_job_has_a_forecast_and_no_best_so_far():
    running = job(status="running", epochs=5, full_valid_loss=[[10, 2.0], [20, 1.6]], total_steps=50)
    made, _ = ask([running])
    assert "8 in 10" in made[0].expect
    assert "no job has ended yet" in made[0].expect
    assert "best so far" not in made[0].expect


def test_a_metric_is_not_told_as_a_loss():
    made, _ = ask([job(metrics={"exact_match": 0.8})], objective="exact_match")
    assert "loss" not in made[0].expect
    assert "exact_match" in made[0].expect


def test_a_proposal_that_no_rule_asks_for_says_what_carries_it():
    made, _ = ask([job()])
    assert made[0].because == ()
    assert "earlier tasks carry it" in made[0].expect


@pytest.mark.parametrize("jobs", NO_LOSSES.values(), ids=NO_LOSSES)
def test_without_losses_no_curve_of_this_task_is_said_to_carry_a_proposal(jobs):
    assert "curves" not in ask(jobs)[0][0].expect


@pytest.mark.parametrize("jobs", [[], [Job.from_record({})]], ids=["no job", "a job without losses"])
@pytest.mark.parametrize("context", [None, {"n_train_examples": 80}])
def test_the_first_job_rests_on_the_rule_that_there_is_none_yet(context, jobs):
    none_yet = Diagnosis("insufficient_data", (Finding("FT101", "no-job-yet", "fires"),))
    made, _ = propose(jobs, none_yet, SearchSpace.from_record(LISTS), context=context)
    assert made[0].because == ("FT101",)


@pytest.mark.parametrize(
    ("low", "high", "rate"), [(2.05, 2.25, 2.148), (1.9 + 1e-13, 1.9 + 3e-13, None), (0.1, 8, None)]
)
def test_rates_of_a_range_have_few_digits_where_the_range_allows(low, high, rate):
    space = {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": {"min": low, "max": high}}
    made, _ = ask([], space, context={"n_train_examples": 80})
    told = knobs(made[0])[2]
    assert low <= told <= high
    assert rate is None or told == rate


def test_a_listed_rate_is_kept_to_the_last_digit():
    listed = 2.0000000000000004
    space = {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": [listed]}
    made, _ = ask([], space, context={"n_train_examples": 80})
    assert knobs(made[0])[2] == listed


def test_replicate_asks_for_a_second_seed_where_the_two_best_are_within_noise():
    near = [job(ends=(2.0, 1.5, 1.300)), job(rate=0.1, ends=(2.0, 1.5, 1.301), name="job-1")]
    far = [near[0], job(rate=0.1, ends=(2.0, 1.9, 1.8), name="job-1")]
    _, alternatives = ask(near, context={"replicate": True})
    assert alternatives[0].expect.startswith("replicate")
    assert knobs(alternatives[0]) == knobs(near[0])
    assert not any(p.expect.startswith("replicate") for p in ask(far, context={"replicate": True})[1])


# --- the guide to the letter --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([("n_epochs", "down")], (2, 8, 0.4)),
        ([("n_epochs", "up"), ("learning_rate_multiplier", "up")], (5, 8, 1.6)),
        ([("batch_size", "up")], (3, 16, 0.4)),
    ],
)
def test_guide_only_takes_the_rules_steps_and_nothing_else(moves, expected):
    finding = Finding("FT9", "x", "fires", guide_moves=tuple(Move(*m) for m in moves))
    made, _ = propose(
        [job()], Diagnosis("overfitting", (finding,)), SearchSpace.from_record(LISTS), guide_only=True
    )
    assert knobs(made[0]) == pytest.approx(expected)
    assert made[0].because == ("FT9",)


def test_guide_only_stops_where_no_rule_fires():
    made, _ = ask([job()], guide_only=True)
    assert made[0].stop


# --- keep --------------------------------------------------------------------------------------------------------


def test_keep_names_the_best_checkpoint_even_of_an_overfitted_job():
    over = job(ends=(1.4, 1.1, 1.9))
    assert (keep([over]).job, keep([over]).step) == ("job-0", 20)


def test_keep_falls_back_on_a_checkpoint_that_exists():
    over = job(ends=(1.4, 1.1, 1.2), checkpoints=[{"step": 10, "model": "m"}, {"step": 30, "model": "n"}])
    assert keep([over]).step == 30


def test_keep_names_the_base_model_where_nothing_beats_it():
    assert keep([job(ends=(3.5, 3.6, 3.9))]).job is None
    assert keep([]).job is None


def test_keep_names_a_job_without_id_by_its_place():
    """None would be the base model."""
    jobs = [job(rate=0.1, ends=(2.9,)), job(name=None)]
    assert keep(jobs).job == "job 2"
    assert keep([job(name=None, metrics={"f": 0.5})], "f").job == "job 1"
    twins = [job(name="a", rate=0.1, ends=(2.9,)), job(name="a")]
    assert keep(twins).job == "job 2"


@pytest.mark.parametrize(
    ("name", "less_is_better"),
    [
        ("answer_exact_match", False),
        ("score_answers", False),
        ("concern_recall", False),
        ("accuracy", False),
        ("wer", True),
        ("test/CER", True),
        ("eval_loss", True),
        ("evalLoss", True),
    ],
)
def test_a_metric_is_less_the_better_by_whole_words_of_its_name(name, less_is_better):
    assert sign(name) == (1 if less_is_better else -1)


def test_keep_ranks_by_a_metric_where_that_is_the_objective():
    a = job(metrics={"exact_match": 0.8})
    b = job(rate=0.1, ends=(1.0, 0.9, 0.8), name="job-1", metrics={"exact_match": 0.6})
    assert keep([a, b], "exact_match").job == "job-0"
    assert keep([a, b], "final").job == "job-1"


def test_a_metric_as_objective_moves_towards_what_scored_best():
    space = {"n_epochs": [3], "batch_size": [8], "learning_rate_multiplier": [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]}
    jobs = [
        job(
            rate=r,
            name=str(r),
            hyperparameters=HyperParameters(3, 8, r).to_record(),
            metrics={"exact_match": m},
        )
        for r, m in ((0.05, 0.1), (0.4, 0.9), (1.6, 0.2))
    ]
    made, _ = ask(jobs, space, objective="exact_match")
    assert knobs(made[0])[2] in (0.2, 0.8)
