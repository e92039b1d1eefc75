"""What a proposal may be: inside the space, never tried, the first without a history, sensible in obvious cases."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from propose_jobs import HEALTHY, LISTS, RANGES, ask, job, knobs

from advisor.nouns import AUTO, Job, SearchSpace
from advisor.propose import propose
from advisor.propose.limits import borne
from advisor.propose.nearby import FACTOR, nearness
from advisor.propose.observe import MOST_JOBS, observe
from advisor.propose.series import came_to_nothing

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


def test_neighbours_of_the_best_are_preferred_once_three_jobs_have_ended():
    jobs = [job(rate=r, ends=e) for r, e in ((0.1, (2.9,)), (0.4, (2.0, 1.8)), (1.6, (1.7, 1.5)))]
    obs = observe(jobs, "learning_rate_multiplier", 1.0, 3.0)[0]
    best, *_ = [o for o, end in zip(obs.logs, obs.loss, strict=True) if end == 1.5]
    asked = best + np.array([[0, 0, 1], [0, 3, 0], [1, 1, -1]])
    assert list(nearness(asked, obs)) == [FACTOR, 1.0, FACTOR]
    few = observe(jobs[:2], "learning_rate_multiplier", 1.0, 3.0)[0]
    assert set(nearness(asked, few)) == {1.0}


def test_of_a_long_history_the_best_and_the_latest_jobs_are_looked_at():
    jobs = [job(rate=0.5, ends=(2.5 + 0.001 * i,)) for i in range(100)]
    jobs[3] = job(rate=0.5, ends=(1.1,))
    seen = set(observe(jobs, "learning_rate_multiplier", 1.0, 3.0)[0].job)
    assert 3 in seen
    assert set(range(99, 70, -1)) <= seen
    assert len(seen) <= MOST_JOBS


def test_pending_jobs_are_taken_too():
    first, _ = ask([job()])
    epochs, batch, rate = knobs(first[0])
    pending = job(epochs, batch, rate, ends=(), status="queued", train_loss=[], name="job-1")
    second, _ = ask([job(), pending])
    assert knobs(second[0]) != knobs(first[0])


def test_several_proposals_differ_from_each_other():
    made, _ = ask([job()], n=4)
    assert len({knobs(p) for p in made}) == 4


def test_with_no_job_and_no_context_every_knob_is_left_to_the_provider():
    made, _ = ask([])
    assert knobs(made[0]) == (AUTO, AUTO, AUTO)


def test_with_context_the_first_job_is_concrete_and_fewer_examples_get_more_epochs():
    few, _ = ask([], context={"n_train_examples": 50})
    many, _ = ask([], context={"n_train_examples": 5000})
    assert knobs(few[0])[0] >= knobs(many[0])[0]


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
    assert came_to_nothing(failed, 3.0) is blown


def test_a_value_that_the_log_lacks_at_the_end_is_no_blow_up_where_the_model_is_alive():
    alive = job(train_loss=[*FALLING, [30, None]], full_valid_loss=[[10, 2.0], [30, 1.5]])
    assert not came_to_nothing(alive, 3.0)


def test_a_setting_that_succeeded_hotter_lifts_the_bar():
    broken = job(rate=0.1, status="failed", full_valid_loss=[], train_loss=[[1, 3.0], [2, 2.9], [3, "NaN"]])
    assert len(borne([broken], "learning_rate_multiplier", 1.0, 3.0)[0]) == 1
    assert len(borne([job(rate=0.4), broken], "learning_rate_multiplier", 1.0, 3.0)[0]) == 0
    hotter = job(rate=1.6, status="failed", full_valid_loss=[], train_loss=[[1, 3.0], [2, 2.9], [3, "NaN"]])
    left = borne([job(rate=0.4), broken, hotter], "learning_rate_multiplier", 1.0, 3.0)[0]
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
