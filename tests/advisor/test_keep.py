"""Which model is kept, and how metrics rank."""

import math
from dataclasses import replace

import numpy as np
import pytest
from propose_jobs import ask, job, knobs

from advisor import advise
from advisor.nouns import Curve, HyperParameters, Job
from advisor.propose import keep
from advisor.propose.keeping import kept_loss
from advisor.propose.objective import sign
from advisor.propose.observe import observe
from advisor.tell.story import tell


def test_keep_names_the_best_checkpoint_even_of_an_overfitted_job():
    over = job(ends=(1.4, 1.1, 1.9))
    assert (keep([over]).job, keep([over]).step) == ("job-0", 20)


def test_keep_falls_back_on_a_checkpoint_that_exists():
    over = job(ends=(1.4, 1.1, 1.2), checkpoints=[{"step": 10, "model": "m"}, {"step": 30, "model": "n"}])
    assert keep([over]).step == 30


def test_keep_names_the_base_model_where_nothing_beats_it():
    assert keep([job(ends=(3.5, 3.6, 3.9))]).job is None
    assert keep([]).job is None


def test_a_validation_loss_that_fell_is_kept_though_training_losses_were_never_as_high():
    """Those are of other data: a validation set that is harder is no job that came to nothing."""
    flat = [[s, 1.05] for s in range(1, 31)]
    harder = job(ends=(1.5, 1.3, 1.24), base_valid_loss=None, train_loss=flat)
    assert (keep([harder]).job, keep([harder]).step) == ("job-0", 30)
    rising = [[s, 2.3 + 0.2 * s] for s in range(1, 31)]
    assert keep([job(ends=(8.0, 7.5, 7.5), base_valid_loss=None, train_loss=rising)]).job is None


def test_a_job_that_blew_up_without_any_gain_is_not_kept():
    """No loss before training was told; its first training losses stand for it."""
    rising = [[s, 2 + 0.02 * s] for s in range(1, 31)]
    blown = job(ends=(2.4, 3.0, 4.0), base_valid_loss=None, train_loss=rising)
    assert keep([blown]).job is None
    gained = job(ends=(1.4, 3.0, 4.0), base_valid_loss=None, train_loss=rising)
    assert (keep([gained]).job, keep([gained]).step) == ("job-0", 10)


def test_keep_names_a_job_without_id_by_its_place():
    """None would be the base model."""
    jobs = [job(rate=0.1, ends=(2.9,)), job(name=None)]
    assert advise(jobs).keep.job == "job 2"
    assert advise([job(name=None, metrics={"f": 0.5})], objective="f").keep.job == "job 1"
    twins = [job(name="a", rate=0.1, ends=(2.9,)), job(name="a")]
    assert advise(twins).keep.job == "job 2"


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


def batches(losses, name):
    """A job of which single validation batches alone are known."""
    return job(
        name=name, ends=(), full_valid_loss=[], valid_loss=[[10 * i, v] for i, v in enumerate(losses, 1)]
    )


def test_one_lucky_or_unlucky_batch_decides_nothing():
    """The last batches' mean does, which is what the forecast calls the best so far."""
    steady = batches([2.0, 1.4, 1.0, 0.95, 1.05], "steady")
    lucky = batches([2.0, 1.6, 1.5, 1.5, 0.6], "lucky")
    advice = advise([lucky, steady])
    assert (advice.keep.job, advice.keep.step) == ("steady", 50)
    told = tell(advice, [lucky, steady])
    assert told.keep == "steady at step 50, validation loss 1 (mean of 3 batches)."
    assert "best so far 1;" in told.options[0].expect


RISEN = [2.5, 2.0, 1.5, 1.6, 1.9, 2.2, 2.6, 2.8, 2.9]


@pytest.mark.parametrize("objective", ["final", "best_checkpoint"])
@pytest.mark.parametrize(("checkpoints", "step"), [((), 40), ((30, 60, 90), 30), ((50, 90), 50)])
def test_of_batches_that_rose_again_the_middle_of_the_lowest_three_is_kept(objective, checkpoints, step):
    """Or the checkpoint nearest to it; and the best so far is told by the same mean."""
    jobs = [replace(batches(RISEN, "a"), checkpoint_steps=checkpoints)]
    advice = advise(jobs, objective=objective)
    assert advice.keep.step == step
    story = tell(advice, jobs)
    assert story.keep.startswith(f"a at step {step}, validation loss 1.667 (mean of 3 batches).")
    best = (
        "best so far 1.67" if objective == "best_checkpoint" else "best so far 2.767 (1.667 at a checkpoint)"
    )
    assert best in story.options[0].expect


def test_batches_that_scatter_about_one_level_keep_their_end():
    """Of forty means of three one lies lowest by luck."""
    rng = np.random.default_rng(0)
    kept = [advise([batches(1.5 + rng.normal(0, 0.2, 40), "a")]).keep.step for _ in range(50)]
    assert kept.count(400) >= 42


@pytest.mark.parametrize("order", [1, -1])
def test_three_lucky_batches_do_not_beat_the_whole_set(order):
    whole, lucky = job(name="whole", ends=(2.2, 1.9, 1.8)), batches([2.5, 2.2, 2.0, 1.9, 1.9, 1.2], "lucky")
    jobs = [whole, lucky][::order]
    advice = advise(jobs)
    assert advice.keep.job == "whole"
    assert "best so far 1.8;" in advice.proposal.expect
    assert advice.proposal.forecast.best == 1.8
    sure = batches([2.5, 2.2, 2.0, 1.3, 1.2, 1.2], "sure")
    assert advise([whole, sure][::order]).keep.job == "sure"


def test_a_rise_that_grows_steeper_hides_no_lower_level():
    steep = batches([2.5, 2.0, 1.5, 1.5, 1.5, 1.6, 1.9, 2.4, 3.0], "a")
    assert advise([steep]).keep.step == 40


@pytest.mark.parametrize("few", [[1.2], [1.2, 1.2]])
def test_one_or_two_batches_beat_no_whole_set_but_the_base_model(few):
    whole, lone = job(name="whole", ends=(2.2, 1.9, 1.8)), batches(few, "lone")
    assert advise([whole, lone]).keep.job == "whole"
    assert advise([lone]).keep.job == "lone"


def test_a_whole_evaluation_before_training_alone_hides_no_batches():
    told = batches([2.2, 1.9, 1.8, 1.8, 1.8], "a")
    early = replace(told, base_valid_loss=None, full_valid=Curve([0], [3.1]))
    advice = advise([early])
    assert (advice.keep.job, advice.keep.step) == ("a", 50)
    assert "best so far 1.8" in advice.proposal.expect


def test_training_losses_are_no_ends_beside_validated_jobs():
    whole = job(name="whole", ends=(2.2, 1.9, 1.8))
    blind = Job(
        id="blind",
        status="succeeded",
        hyperparameters=HyperParameters(5, 8, 1.6),
        train=Curve(range(10, 60, 10), [2.5, 1.4, 0.8, 0.3, 0.1]),
    )
    advice = advise([whole, blind])
    assert advice.keep.job == "whole"
    assert advice.proposal.forecast.best == 1.8


def test_luck_does_not_move_the_search_either():
    """Nor the count of jobs that brought nothing, nor what a replicate is set against."""
    whole = [job(n, 8, 0.4, ends=(2.2, 1.9, 1.8 + i / 100), name=f"w{i}") for i, n in enumerate((3, 4, 5))]
    lucky = replace(
        batches([2.5, 2.2, 2.0, 1.9, 1.9, 1.2], "lucky"), hyperparameters=HyperParameters(10, 32, 4.0)
    )
    seen, _ = observe([*whole, lucky], "learning_rate_multiplier", 1.0, 3.0)
    assert 2 ** seen.logs[seen.ends[0]] == pytest.approx([3, 8, 0.4])
    assert seen.n_in_vain == 3


def test_two_evaluations_at_one_step_are_one_figure_everywhere():
    twice = job(ends=())
    twice = replace(twice, full_valid=Curve([10, 20, 20], [1.52, 0.84, 0.802]))
    advice = advise([twice], objective="best_checkpoint")
    assert advice.proposal.forecast.best == pytest.approx(0.821)
    assert "validation loss 0.821" in tell(advice, [twice]).keep


def test_what_is_kept_is_the_best_so_far_where_the_best_weights_are_gone():
    """Or where the job broke after them."""
    gone = replace(job(epochs=4, ends=(1.97, 1.72, 1.75, 1.74)), checkpoint_steps=(10, 30, 40))
    advice = advise([gone], objective="best_checkpoint")
    assert (advice.keep.step, advice.proposal.forecast.best) == (40, 1.74)
    assert "1.72" not in advise([gone]).proposal.expect
    broken = job(4, 8, 1.6, (2.6, 1.84, math.nan, math.nan), "broken")
    advice = advise([job(ends=(2.5, 2.2, 2.1)), broken])
    assert advice.keep.job == "broken"
    assert "best so far 2.1 (1.84 at a checkpoint)" in advice.proposal.expect


def test_the_whole_set_is_told_as_it_was_measured():
    assert kept_loss(job(ends=(1.4, 1.1, 1.9)), 20) == (1.1, 0)
    assert kept_loss(batches([2.0, 1.0], "a"), 20) == (1.5, 2)
    assert kept_loss(batches([2.0, 1.0], "a"), 10) == (None, 0), "what is kept is its end"
