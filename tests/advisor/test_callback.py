"""The callback in a real Trainer on a model of a few hundred weights."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from advisor.callback import AdvisorCallback, _length  # noqa: E402
from advisor.nouns import HyperParameters  # noqa: E402
from advisor.tell.command import trainer_line  # noqa: E402


class Line(torch.nn.Module):
    """y = w x with a wide hidden layer: learns 16 noisy points by heart when it is given time."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))

    def forward(self, x, labels):
        out = self.net(x)
        return {"loss": ((out[:, 0] - labels) ** 2).mean(), "logits": out}


def rows(seed, n=16):
    made = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 8, generator=made)
    y = x[:, 0] + torch.randn(n, generator=made)
    return [{"x": a, "labels": b} for a, b in zip(x, y, strict=True)]


def train(tmp_path, callback, epochs=24, rate=0.02, every=1, valid=None):
    torch.manual_seed(0)
    args = transformers.TrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=epochs, learning_rate=rate, per_device_train_batch_size=8,
        eval_strategy="epoch", per_device_eval_batch_size=16, logging_strategy="steps", logging_steps=every, save_strategy="no", report_to=[],
        use_cpu=True, disable_tqdm=True, remove_unused_columns=False, lr_scheduler_type="constant",
    )  # fmt: skip
    trainer = transformers.Trainer(
        Line(), args, train_dataset=rows(1), eval_dataset=valid or rows(2), callbacks=[callback]
    )
    trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
    trainer.train()
    return trainer


def test_it_tells_when_the_diagnosis_changes_and_all_of_it_at_the_end(tmp_path):
    said = []
    callback = AdvisorCallback(say=said.append)
    train(tmp_path, callback)
    assert callback.advice.diagnosis.label == "overfitting"
    assert any("overfitting" in line for line in said[:-1]), "told while it trained"
    assert len(said) < 15, "told on changes, not at each of 24 evaluations"
    assert "learning rate 0.02" in said[-1]
    assert "Next" in said[-1]
    assert "tracker submit" not in said[-1], "of no use to who trains with the Trainer"
    pasted = said[-1].partition("Paste\n")[2].strip()
    args = eval(pasted[:-1] + ", use_cpu=True)", vars(transformers))
    proposed = callback.advice.proposal.hyperparameters
    assert args.num_train_epochs == proposed.n_epochs
    assert args.learning_rate == pytest.approx(proposed.learning_rate)
    assert args.per_device_train_batch_size * args.gradient_accumulation_steps == proposed.batch_size


@pytest.mark.parametrize(
    ("batch", "part", "devices", "told"),
    [
        (8, 8, 1, "per_device_train_batch_size=8, gradient_accumulation_steps=1"),
        (32, 8, 2, "per_device_train_batch_size=8, gradient_accumulation_steps=2"),
        (12, 8, 1, "per_device_train_batch_size=6, gradient_accumulation_steps=2"),
        (2, 8, 4, "per_device_train_batch_size=1, gradient_accumulation_steps=1"),
    ],
)
def test_a_batch_is_told_in_parts_that_a_device_has_held(batch, part, devices, told):
    line = trainer_line(HyperParameters(3, batch, learning_rate=2e-5), part, devices, steps_rule=True)
    told = f"TrainingArguments(num_train_epochs=3, {told}, learning_rate=2e-05, max_steps=-1)"
    assert line.partition("  #")[0] == told


def test_it_ends_a_training_that_gets_worse_where_it_may(tmp_path):
    stopped = train(tmp_path, AdvisorCallback(stop=True, say=lambda line: None))
    assert stopped.state.global_step < 24 * 2


def test_history_counts(tmp_path):
    earlier = {
        "id": "earlier", "hyperparameters": {"n_epochs": 2, "batch_size": 8, "learning_rate": 0.01},
        "full_valid_loss": [[2, 0.6], [4, 0.5]], "status": "succeeded",
    }  # fmt: skip
    callback = AdvisorCallback([earlier], say=lambda line: None)
    train(tmp_path, callback, epochs=3, rate=0.001)
    assert callback.advice.keep.job == "earlier"


def test_what_goes_wrong_with_the_advice_costs_no_training(tmp_path, monkeypatch):
    said = []
    callback = AdvisorCallback(say=said.append)

    def fail(*args, **kwargs):
        raise ValueError("an odd curve")

    monkeypatch.setattr("advisor.diagnosis.diagnose", fail)
    monkeypatch.setattr("advisor.advise", fail)
    trained = train(tmp_path, callback, epochs=2)
    assert trained.state.global_step == 4, "trained to its end"
    assert said == ["advisor: no advice here (ValueError: an odd curve)"] * 3, "two evaluations and the end"


def test_a_batch_that_the_devices_do_not_divide_is_said():
    even, uneven = (trainer_line(HyperParameters(3, batch, learning_rate=1e-4), 2, 4) for batch in (8, 6))
    assert "#" not in even
    assert uneven.endswith("# a batch of 8: 6 does not divide by 4 devices")


def test_it_knows_how_many_examples_are_trained_on(tmp_path):
    said = []
    callback = AdvisorCallback(say=said.append)
    train(tmp_path, callback, epochs=3)
    assert callback._n_examples == len(rows(1))
    assert callback.advice.proposal.cost.steps, "a cost in steps needs the number of examples"
    assert "number of training examples is not known" not in " ".join("".join(said).split())


def test_a_stream_of_examples_has_no_length():
    class Stream:
        dataset = iter(())

    assert [_length(d) for d in (Stream(), None)] == [None, None]


def test_a_training_that_is_resumed_keeps_the_curves_it_had():
    callback = AdvisorCallback(say=lambda line: None)
    logs = [{"step": 1, "loss": 2.0}, {"step": 2, "eval_loss": 1.9}, {"step": 3, "loss": 1.8}]
    callback.on_train_begin(None, transformers.TrainerState(global_step=2, log_history=logs), None)
    assert (callback._train, callback._valid) == ([(1, 2.0)], [(2, 1.9)])
    callback.on_train_begin(None, transformers.TrainerState(), None)
    assert (callback._train, callback._valid) == ([], [])


def test_a_training_shorter_than_its_logging_steps_is_judged_by_its_evaluations(tmp_path):
    said = []
    train(tmp_path, AdvisorCallback(say=said.append), epochs=4, every=500)
    assert "Next" in said[-1]


def test_evaluations_under_other_names_are_told_with_what_to_do(tmp_path):
    said, both = [], {"a": rows(2), "b": rows(3)}
    train(tmp_path, AdvisorCallback(say=said.append), epochs=3, valid=both)
    assert "no eval_loss was logged, but eval_a_loss, eval_b_loss; loss_key names the one" in said[0]
    heard = []
    train(tmp_path, AdvisorCallback(say=heard.append, loss_key="eval_b_loss"), epochs=3, valid=both)
    assert not any("was logged, but" in line for line in heard)


def test_a_training_that_was_ended_early_is_not_told_as_one_that_succeeded(tmp_path):
    said = []
    train(tmp_path, AdvisorCallback(say=said.append, stop=True), epochs=40, rate=0.1)
    assert "cancelled): epochs 40" in said[-1].replace("\n", " ").replace("  ", " ")
