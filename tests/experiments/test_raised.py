"""Tables of which less can be learned: other losses, the same regrets."""

import pytest

from experiments.benchmark.raised import raised
from experiments.benchmark.tables import FOLDER, read


@pytest.fixture(scope="module")
def table():
    return read(FOLDER / "chat_en_500.jsonl.gz")


def test_the_gain_is_as_asked_and_every_regret_as_before(table):
    less = raised(table, 0.1)
    assert less.gain / less.base == pytest.approx(0.1)
    assert less.gain == pytest.approx(table.gain)
    assert all(less.regret(k) == pytest.approx(table.regret(k), abs=1e-9) for k in table.rows)


def test_curves_are_raised_with_the_ends_and_gaps_stay_gaps(table):
    less = raised(table, 0.1)
    more = less.base - table.base
    for key, row in table.rows.items():
        for curve in ("train", "full"):
            for before, after in zip(row[curve], less.rows[key][curve], strict=True):
                assert after[0] == before[0]
                assert after[1] == (None if before[1] is None else pytest.approx(before[1] + more))


def test_a_table_with_less_to_learn_stays_as_it_is(table):
    assert raised(table, 1.0).base == table.base


@pytest.mark.parametrize("gain", [0.0, -0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(table, gain):
    with pytest.raises(ValueError, match=f"gain of {gain}; expected a share"):
        raised(table, gain)
