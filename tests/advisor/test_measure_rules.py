"""The command that measures the rules, on a table small enough to count by hand."""

import ast
import gzip
import json

import pytest

from advisor.rules import CATALOGUE
from advisor.rules.measured import MEASURED
from experiments.benchmark.tables import read
from experiments.measure_rules import count, main, near, text

EPOCHS = (1, 2, 3, 4)
LOSS = [3.0, 2.0, 1.5, 1.6, 1.9]  # before training, then after each epoch: the best is after the second


@pytest.fixture
def folder(tmp_path):
    """One knob alone: epochs, each setting the beginning of the longest; training falls to the end."""
    meta = {"task": "t", "n_train": 80, "n_valid": 20, "base_loss": LOSS[0]}
    rows = [
        {
            "n_epochs": n,
            "batch_size": 8,
            "lrm": 1.0,
            "train": [[s, 3.0 * 0.5 ** (s / 10)] for s in range(1, 10 * n + 1)],
            "valid": [],
            "full": [[10 * e, LOSS[e], 0.5] for e in range(1, n + 1)],
            "final": LOSS[n],
        }
        for n in EPOCHS
    ]
    with gzip.open(tmp_path / "t.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(line) + "\n" for line in (meta, *rows))
    return tmp_path


def test_the_truth_is_the_better_of_the_next_two_values(folder):
    table = read(folder / "t.jsonl.gz")
    assert table.gain == 1.5
    assert near(table, (4, 8, 1.0), "n_epochs", "down") == [(3, 8, 1.0), (2, 8, 1.0)]
    assert near(table, (3, 8, 1.0), "n_epochs", "up") == [(4, 8, 1.0)]
    assert near(table, (3, 8, 1.0), "batch_size", "down") == []


def test_rates_counted_by_hand(folder):
    rates = count([read(folder / "t.jsonl.gz")])
    assert rates["FT201"]["fired"] == [2, 4]  # the jobs of 3 and 4 epochs ended above their best
    assert rates["FT201"]["n_epochs down"] == [2, 2]
    assert rates["FT203"]["fired"] == [1, 4]  # 3 epochs, after the job of 4 overfitted
    assert (
        "batch_size down" not in rates["FT203"]
    )  # the table has no other batch size: nothing to be right about


def test_the_figures_are_written_as_data_that_reads_back(folder):
    rates = count([read(folder / "t.jsonl.gz")])
    module = ast.parse(text(rates, 1))
    written = ast.literal_eval(module.body[-1].value)
    assert written == {rule: {w: tuple(p) for w, p in ways.items()} for rule, ways in rates.items()}


def test_a_dry_run_shows_and_writes_nothing(folder, capsys, monkeypatch):
    monkeypatch.setattr("experiments.measure_rules.TARGET", folder / "measured.py")
    assert main(["--tables", str(folder), "--dry-run"]) == 0
    assert "FT201  n_epochs down" in capsys.readouterr().out
    assert not (folder / "measured.py").exists()
    assert main(["--tables", str(folder)]) == 0
    assert (folder / "measured.py").exists()


def test_a_folder_without_tables_is_refused(tmp_path, capsys):
    assert main(["--tables", str(tmp_path)]) == 2
    assert "no *.jsonl.gz" in capsys.readouterr().err


def test_the_shipped_figures_cover_every_rule():
    assert set(MEASURED) == {rule.id for rule in CATALOGUE}
