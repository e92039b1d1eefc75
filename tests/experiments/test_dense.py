"""Tables drawn finer: true to the table at its own settings, and a space of ranges in which every proposal is known."""

import numpy as np
import pytest

from advisor.nouns import SearchSpace
from advisor.propose.grid import candidates
from advisor.propose.rates import reference_rate
from experiments.benchmark.dense import SEED_NOISE, dense
from experiments.benchmark.loops import play
from experiments.benchmark.ours import Advisor
from experiments.benchmark.peers import RandomSearch
from experiments.benchmark.raised import raised
from experiments.benchmark.surfaces import surface
from experiments.benchmark.tables import FOLDER, read


@pytest.fixture(scope="module")
def table():
    return read(FOLDER / "json_200.jsonl.gz")


@pytest.fixture(scope="module")
def fine(table):
    return dense(table)


def test_it_is_finer_and_its_space_is_ranges(table, fine):
    assert len(fine.rows) > 2 * len(table.rows)
    space = SearchSpace.from_record(fine.space())
    assert not space.n_epochs.values
    assert {tuple(s) for s in candidates(space, reference_rate(space)).settings} <= set(fine.rows)


def test_good_settings_stay_good(table, fine):
    """At settings that both have, regret agrees but for noise: half of the settings within 2 %, nine in ten within 10 %."""
    off = []
    for key in table.rows:
        near = min(fine.rows, key=lambda k: sum(abs(np.log(np.array(k) / key))))
        if key[:2] == near[:2] and abs(near[2] / key[2] - 1) < 0.15 and table.regret(key) < 0.5:
            off.append(abs(table.regret(key) - fine.regret(near)))
    assert len(off) > 40
    assert np.median(off) < 0.02
    assert np.quantile(off, 0.9) < 0.1


def test_no_setting_is_better_than_the_best_and_noise_is_as_said(fine):
    regret = np.array([fine.regret(k) for k in fine.rows])
    assert regret.min() == 0.0
    noise = np.array([fine.final(k) - row["exact"] for k, row in fine.rows.items()])
    assert noise.std() == pytest.approx(
        SEED_NOISE * surface(read(FOLDER / "json_200.jsonl.gz")).gain * fine.base, rel=0.15
    )


def test_ours_and_a_peer_play_it(fine):
    for method in (Advisor("ours", lambda t: False), RandomSearch()):
        assert len(play(method, fine, 0, jobs=4).regrets) == 4


def test_a_raised_table_is_drawn_finer_too(table):
    both = dense(raised(table, 0.1))
    assert both.gain / both.base == pytest.approx(0.1, rel=0.1)
