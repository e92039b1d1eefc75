"""What is foretold in figures stands in the record too, and says what the text says."""

import re

import pytest
from propose_jobs import ask, job
from tell_jobs import advice_on, history

from advisor.nouns import Forecast


def test_the_record_has_the_figures_of_the_text():
    made, others = ask([job(), job(epochs=5, rate=1.6, ends=(1.6, 1.2, 1.1), name="job-1")])
    for proposal in (*made, *others):
        told = proposal.to_record()["forecast"]
        assert told["low"] < told["high"]
        assert told["best"] == pytest.approx(1.1)
        assert 0 <= told["chance"] <= 1
        said = re.search(r"(under |over )?(\d+)% chance", proposal.expect)
        assert said[1] or round(100 * told["chance"]) == int(said[2])
        low, high = map(float, re.search(r"8 in 10: ([\d.]+) to ([\d.]+)", proposal.expect).groups())
        assert (low, high) == pytest.approx((told["low"], told["high"]), rel=0.06, abs=0.06)
        assert ("middle" in told) == ("about" in proposal.expect)


def test_of_a_metric_the_chance_alone_is_foretold():
    jobs = [
        job(ends=(2.0, 1.5), name=f"job-{i}", metrics={"exact": 0.5 + i / 10}, rate=r)
        for i, r in enumerate((0.1, 0.4))
    ]
    assert set(ask(jobs, objective="exact")[0][0].to_record()["forecast"]) == {"chance"}


@pytest.mark.parametrize(
    "jobs",
    [[], [job(full_valid_loss=[])], [job(ends=(-0.2, -0.5), base_valid_loss=0.1)]],
    ids=["no job", "never validated", "below nought"],
)
def test_where_nothing_is_known_there_is_no_forecast(jobs):
    made = ask(jobs, context={"n_train_examples": 100})[0][0]
    assert made.forecast is None
    assert "forecast" not in made.to_record()


def test_advice_hands_it_on_with_its_alternatives():
    record = advice_on(history()).to_record()
    assert {"chance", "low", "high", "best"} <= set(record["proposals"][0]["forecast"])
    assert all("forecast" in other for other in record["alternatives"])
    assert Forecast(0.5).to_record() == {"chance": 0.5}
