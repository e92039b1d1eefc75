"""Optuna's distributions and trials as the advisor's knobs and jobs, and back."""

import pytest

optuna = pytest.importorskip("optuna", reason="needs the extra: pip install 'finetune-advisor[optuna]'")

from advisor.trials import Translator, as_knob, legal  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.WARNING)
D = optuna.distributions


@pytest.mark.parametrize(
    ("distribution", "values", "low", "high", "integer"),
    [
        (D.CategoricalDistribution([8, 4, 16]), (4, 8, 16), None, None, False),
        (D.IntDistribution(1, 10), (), 1, 10, True),
        (D.IntDistribution(4, 16, step=4), (4, 8, 12, 16), None, None, True),
        (D.FloatDistribution(1e-5, 1e-3, log=True), (), 1e-5, 1e-3, False),
        (D.FloatDistribution(0.5, 2.0, step=0.5), (0.5, 1.0, 1.5, 2.0), None, None, False),
    ],
)
def test_a_distribution_is_a_knob(distribution, values, low, high, integer):
    found = as_knob(distribution)
    assert (found.values, found.integer) == (values, integer)
    if low is not None:
        assert (found.low, found.high) == (low, high)
    assert distribution._contains(
        distribution.to_internal_repr(legal(values[0] if values else low, distribution))
    )


@pytest.mark.parametrize(
    "bad", [D.CategoricalDistribution(["a", 1]), D.FloatDistribution(0.0, 1.0), D.IntDistribution(-2, 3)]
)
def test_a_knob_that_cannot_be_one_is_refused_with_its_value(bad):
    with pytest.raises(ValueError, match="expected"):
        as_knob(bad)


def test_a_trial_is_a_job_whose_steps_are_epochs():
    made = optuna.create_study()
    trial = optuna.trial.create_trial(
        params={"epochs": 3, "bs": 8},
        distributions={"epochs": D.IntDistribution(1, 5), "bs": D.IntDistribution(1, 64)},
        intermediate_values={0: 2.0, 1: 1.5, 2: 1.6},
        value=1.55,
    )
    made.add_trial(trial)
    [job] = Translator(knobs={"bs": "batch_size"}, fixed={"learning_rate": 1e-4}).jobs(made.trials)
    assert job.full_valid.step.tolist() == [1, 2, 3]
    assert job.full_valid.loss.tolist() == [2.0, 1.5, 1.55], "the value that the study got is the final loss"
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (3, 8)
    assert job.hyperparameters.learning_rate == 1e-4
    [halves] = Translator(knobs={"bs": "batch_size"}, reports_per_epoch=2).jobs(made.trials)
    assert halves.full_valid.step.tolist() == [0.5, 1, 1.5]


@pytest.mark.parametrize(
    ("distribution", "value", "given"),
    [
        (D.IntDistribution(8, 1024, step=8), 13.0, 16),
        (D.IntDistribution(8, 1024, step=8), 5000.0, 1024),
        (D.IntDistribution(3, 993, step=10), 12.0, 13),
        (D.FloatDistribution(0.05, 10.0, step=0.05), 0.333, 0.35),
        (D.IntDistribution(1, 100), 7.6, 8),
    ],
)
def test_a_value_lands_on_the_distributions_steps(distribution, value, given):
    found = legal(value, distribution)
    assert found == pytest.approx(given)
    assert distribution._contains(distribution.to_internal_repr(found)), "Optuna takes it"
