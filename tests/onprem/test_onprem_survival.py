"""A model that its training has destroyed is no success, and one that is merely worse is none of that."""

import math
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem_worker import Bench  # noqa: E402

from onprem.training.errors import JobError  # noqa: E402
from onprem.training.survival import Survival  # noqa: E402

GUESS = math.log(1024)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("bench"))


def judged(before, after, first_loss=math.inf, step=0):
    losses = iter((before, after))
    rows = [SimpleNamespace(n_trained=1)] * 40
    task = SimpleNamespace(
        data=SimpleNamespace(train=rows), training_loss=lambda *_: next(losses), guess=lambda _: GUESS
    )
    survival, control = Survival(task, first_loss), SimpleNamespace(should_save=True)
    survival.on_train_begin(None, SimpleNamespace(global_step=step), control)
    survival.on_log(None, SimpleNamespace(global_step=8, max_steps=8), control)
    assert len(survival.picked) == 16
    assert control.should_save is not survival.lost
    return survival.lost


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (5.0, math.nan, True), (5.0, math.inf, True), (5.0, GUESS - 1e-4, True), (5.0, 80.0, True),
        (5.0, 2.0, False), (5.0, 6.0, False), (GUESS, GUESS + 0.1, False), (6.5, GUESS, False),
    ],
)  # fmt: skip
def test_a_model_is_lost_that_knew_its_rows_and_now_guesses(before, after, lost):
    assert judged(before, after) is lost


def test_a_job_that_goes_on_remembers_what_its_model_knew():
    assert judged(GUESS, GUESS, first_loss=5.0, step=4)
    assert not judged(GUESS, GUESS, step=4)


def test_a_broken_base_is_told_before_training():
    with pytest.raises(JobError, match="weights are broken") as broken:
        judged(math.nan, 1.0)
    assert broken.value.code == "model_not_available"


@pytest.mark.parametrize("lora", [False, True])
def test_a_destroyed_model_is_no_success_without_a_validation_file(bench, lora):
    job = bench.run(valid=None, n_epochs=1, batch_size=4, learning_rate_multiplier=1e6, lora=lora)
    assert (job["status"], job["fine_tuned_model"]) == ("failed", None)
    assert job["error"]["code"] == "diverged"
    assert not bench.db.one("select 1 from checkpoints where job = ?", job["id"])


@pytest.mark.parametrize("multiplier", [1e-6, 1.0, 30.0])
def test_a_model_that_is_not_destroyed_is_kept(bench, multiplier):
    job = bench.run(valid=None, n_epochs=2, batch_size=4, learning_rate_multiplier=multiplier)
    assert job["status"] == "succeeded", job["error"]
