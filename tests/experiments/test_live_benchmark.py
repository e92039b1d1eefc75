"""Live stopping is measured as it says: what a stop saved, and whether it cost a better end, against a slow twin."""

import random
import re

import pytest

import experiments.benchmark.live as bench
from advisor.nouns import Live
from experiments.benchmark.live import Played, main, markdown, pairs, play


@pytest.fixture
def stops_at(monkeypatch):
    """The advisor stops whatever runs at that epoch."""

    def at(epoch):
        def judge(jobs, space, prior=None):
            return Live(True, "so") if len(jobs[-1].full_valid) >= epoch else Live()

        monkeypatch.setattr(bench, "judge", judge)

    return at


def test_a_stop_is_wrong_where_the_end_would_have_been_the_best_known_by_far(tables, stops_at):
    seen = set()
    for table in tables:
        draw = random.Random(1)
        for _ in range(20):
            ended, running = draw.choice(sorted(table.rows)), draw.choice(sorted(table.rows))
            stops_at(2)
            got = play(table, ended, running, False)
            row, epochs = table.rows[running], running[0]
            if epochs <= 2:
                assert got == Played(table.name, epochs, 0, False)
                continue
            known = min([table.rows[ended]["final"], *[p[1] for p in row["full"]][:2]])
            assert got.saved == epochs - 2
            assert got.wrong is bool((known - row["final"]) / (table.base - table.best) > 0.005)
            seen.add(got.wrong)
    assert seen == {True, False}


def test_the_running_job_is_told_without_what_is_to_come(tables, monkeypatch):
    told = []
    monkeypatch.setattr(bench, "judge", lambda jobs, space, prior=None: told.append(jobs) or Live())
    table = tables[0]
    running = max(table.rows)
    play(table, min(table.rows), running, False)
    assert [len(jobs[-1].full_valid) for jobs in told] == list(range(1, running[0]))
    for first, job in told:
        assert first.status == "succeeded"
        assert job.status == "running"
        assert max(job.train.step.max(), job.valid.step.max(initial=0)) <= job.full_valid.step[-1]


def test_the_figures_are_shares_of_all_epochs_and_of_all_stops():
    text = markdown(
        [
            Played("a", 8, 4, True),
            Played("a", 8, 0, False),
            Played("b", 4, 1, False),
            Played("b", 12, 9, False),
        ]
    )
    rows = {line.split("|")[1].strip(): line for line in text.splitlines()}
    assert "| 2 | 25.0% | 1 | 100.0% |" in rows["a"]
    assert "| 2 | 62.5% | 2 | 0.0% |" in rows["b"]
    assert re.search(r"\| 4 \| 43.8% \(25.0%-62.5%\) \| 3 \| 33.3% \(0.0%-100.0%\) \|", rows["all"])


def test_pairs_are_the_same_for_a_seed_and_others_for_another(tables):
    assert pairs(tables[0], 5, 0) == pairs(tables[0], 5, 0)[:5]
    assert pairs(tables[0], 5, 0) != pairs(tables[0], 5, 1)


def test_it_plays_the_advisor_itself(tables, tmp_path, capsys):
    from experiments.benchmark.tables import FOLDER

    (tmp_path / "man_300.jsonl.gz").write_bytes((FOLDER / "man_300.jsonl.gz").read_bytes())
    assert main([str(tmp_path), "--pairs", "12"]) == 0
    row = capsys.readouterr().out.splitlines()[2].split("|")
    assert [row[1].strip(), row[2].strip()] == ["man_300", "12"]
    assert int(row[4]) > 0, "of twelve pairs some are stopped"


@pytest.mark.parametrize(
    ("words", "told"), [(["{}"], "no *.jsonl.gz in"), (["--pairs", "0"], "--pairs 0: expected at least 1")]
)
def test_what_cannot_be_played_is_told(words, told, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([w.format(tmp_path) for w in words])
    assert told in capsys.readouterr().err
