"""What is told is set against what came as it says: the histories, the shares, and the advisor itself."""

from itertools import pairwise

import pytest

import experiments.benchmark.told as bench
from advisor.nouns import Advice, Diagnosis, Forecast, HyperParameters, Proposal
from experiments.benchmark.tables import Table
from experiments.benchmark.told import KNOBS, Told, main, markdown


@pytest.fixture
def asked(monkeypatch):
    """The histories that an advisor was asked about who always names the cheapest setting that is left."""
    seen = []

    def advise(jobs, space, prior=None):
        seen.append([tuple(getattr(j.hyperparameters, k) for k in KNOBS) for j in jobs])
        free = (
            (e, b, r)
            for e in space.n_epochs.values
            for b in space.batch_size.values
            for r in space.rate.values
        )
        setting = next(s for s in free if s not in seen[-1])
        named = HyperParameters(**dict(zip(KNOBS, setting, strict=True)))
        told = Forecast(0.3, 1.0, None, 2.0, 1.5)
        return Advice(Diagnosis("healthy"), (Proposal(named, forecast=told),))

    monkeypatch.setattr(bench, "advise", advise)
    return seen


def test_loops_grow_by_what_was_named(tables, asked):
    told = list(bench.loop(tables[0], False, "0"))
    assert [len(tried) for tried in asked] == list(range(1, 9))
    for before, after in pairwise(asked):
        assert after[: len(before)] == before
        assert len(set(after)) == len(after)
    assert len(told) == 8


def test_a_sweep_changes_one_knob_at_a_time_from_the_best_so_far(tables, asked):
    list(bench.swept(tables[0], False, "0"))
    last = asked[-1]
    for setting in last[1:]:
        near = [
            sum(a != b for a, b in zip(setting, other, strict=True)) for other in last if other != setting
        ]
        assert min(near) == 1


@pytest.mark.parametrize("history", [bench.searched, bench.resumed, bench.swept, bench.loop])
def test_a_small_table_has_as_many_as_it_has(history, tables, asked):
    few = dict(list(tables[0].rows.items())[:12])
    assert list(history(Table(tables[0].meta, few), False, "0"))


def test_what_came_is_read_from_the_table(tables, asked):
    table = tables[0]
    told = list(bench.searched(table, False, "1"))
    for one, tried in zip(told, asked, strict=True):
        best = min(table.rows[k]["final"] for k in tried)
        named = next(k for k in sorted(table.rows) if k not in tried)
        loss, gain = table.rows[named]["final"], table.base - table.best
        assert one.came is bool(best - loss > 0.02 * gain)
        assert one.short is bool(best - table.best > 0.02 * gain)
        assert one.brings == pytest.approx(max(best - loss, 0) / gain)
        assert one.held is bool(1.0 <= loss <= 2.0)


def test_the_figures_are_shares_of_their_kind():
    rows = markdown(
        [
            Told("a", 0.2, True, True, False, True, 0.1),
            Told("a", 0.4, False, False, True, True, 0.03),
            Told("a", None, False, None, True, False, 0.01),
            Told("b", 0.5, True, None, False, False, 0.0),
        ]
    ).splitlines()[2:]
    assert rows[0].startswith("| a | 3 | 30% | 50% | 1.06 | 50% | 2 | 50% | 2.0% |")
    assert rows[1].startswith("| b | 1 | 50% | 100% | 0.69 | - | 0 | - | - |")


def test_it_asks_the_advisor_itself(tables, tmp_path, capsys):
    from experiments.benchmark.tables import FOLDER

    (tmp_path / "man_300.jsonl.gz").write_bytes((FOLDER / "man_300.jsonl.gz").read_bytes())
    assert main([str(tmp_path), "--draws", "1"]) == 0
    rows = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]]
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("words", "told"), [(["{}"], "no *.jsonl.gz in"), (["--draws", "0"], "--draws 0: expected at least 1")]
)
def test_what_cannot_be_asked_is_told(words, told, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([w.format(tmp_path) for w in words])
    assert told in capsys.readouterr().err
