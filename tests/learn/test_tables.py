"""Tables of real results: their lines from a job's metrics, going on after an interruption, and one made end to end."""

import gzip
import json
import math

import pytest

from experiments.data.rows import HERE, read
from experiments.tables import __main__ as command
from experiments.tables import jobs, lines, make
from experiments.tables.grid import GRIDS, Grid

SMALL = Grid((1, 2), (4,), (0.5, 1.0))


def story(final=1.5, diverged=False, steps=6, spe=3):
    metrics = [{"step": 0, "full_valid_loss": 4.0}]
    for step in range(1, steps + 1):
        point = {"step": step, "train_loss": 3.0 / step, "total_steps": steps}
        if step % 2 == 0:
            point["valid_loss"] = 2.0
        if step % spe == 0:
            point |= {"full_valid_loss": final, "full_valid_mean_token_accuracy": 0.25}
        metrics.append(point)
    return {"diverged": diverged, "tokens": 200, "metrics": metrics}


class FakeServer:
    """Ends every job at once with a loss that its setting and seed determine; can be interrupted after some jobs."""

    def __init__(self, stop_after=None):
        self.asked, self.stop_after = [], stop_after

    def run(self, settings, seed):
        for setting in settings:
            if self.stop_after is not None and len(self.asked) == self.stop_after:
                raise KeyboardInterrupt
            self.asked.append((*setting, seed))
            yield setting, story(final=setting[0] + setting[2] + seed / 10)


def test_grids_have_the_size_that_they_claim():
    assert (len(GRIDS["quick"].settings()), GRIDS["quick"].epochs()) == (48, 192)
    assert (len(GRIDS["full"].settings()), GRIDS["full"].epochs()) == (192, 992)


def test_the_first_line_tells_of_the_task():
    assert lines.header("t", 12, 5, (2, 4, 1.0), story()) == {
        "task": "t",
        "n_train": 12,
        "n_valid": 5,
        "train_tokens": 100,  # 200 in two epochs
        "schedule": "linear",
        "base_loss": 4.0,
    }


def test_a_line_holds_the_curves_of_its_setting():
    assert lines.line((2, 4, 0.5), story(), n_train=12) == {
        "n_epochs": 2,
        "batch_size": 4,
        "lrm": 0.5,
        "train": [[s, round(3.0 / s, 5)] for s in range(1, 7)],
        "valid": [[2, 2.0], [4, 2.0], [6, 2.0]],
        "full": [[3, 1.5, 0.25], [6, 1.5, 0.25]],
        "spe": 3,
        "final": 1.5,
    }


def test_a_job_that_diverged_has_no_final_loss():
    assert lines.line((2, 4, 9.0), story(final=None, diverged=True), 12)["final"] is None


def test_a_server_that_sends_no_base_loss_is_refused():
    with pytest.raises(RuntimeError, match="step 0"):
        lines.header("t", 1, 1, (1, 1, 1.0), {"tokens": 1, "metrics": []})


@pytest.mark.parametrize("n", [1, 160, 161, 1000])
def test_thinning_keeps_both_ends_and_the_order(n):
    thin = lines.thinned([[i, 0.0] for i in range(n)])
    steps = [step for step, _ in thin]
    assert len(thin) == min(n, 160)
    assert (steps[0], steps[-1]) == (0, n - 1)
    assert steps == sorted(set(steps))


def test_a_confirmed_line_has_the_mean_of_its_seeds():
    made = lines.confirmed({"final": 1.0}, [{"final": 2.0}, {"final": 3.0}])
    assert made == {"final": 2.0, "seeds": [1.0, 2.0, 3.0]}
    assert lines.confirmed({"final": 1.0}, [{"final": None}])["final"] is None


def test_an_interrupted_table_goes_on_where_it_stood(tmp_path):
    first = FakeServer(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        make.make("t", first, SMALL, tmp_path, (12, 5), tell=str)
    with (tmp_path / "t.jsonl").open("a") as file:
        file.write('{"n_epochs": 2, "batch')  # a line cut off by kill -9
    second = FakeServer()
    path = make.make("t", second, SMALL, tmp_path, (12, 5), tell=str)
    grid_jobs = [job for job in first.asked + second.asked if job[-1] == 0]
    assert sorted(grid_jobs) == sorted((*setting, 0) for setting in SMALL.settings())
    whole = make.make("t", FakeServer(), SMALL, tmp_path / "at-once", (12, 5), tell=str)
    assert path.read_bytes() == whole.read_bytes()


def test_progress_counts_epochs_and_not_jobs(monkeypatch):
    clock = iter([0.0, 60.0, 120.0])  # a minute each
    monkeypatch.setattr(jobs.time, "monotonic", lambda: next(clock))
    told, settings = [], [(1, 4, 1.0), (3, 4, 0.5)]
    assert list(jobs.with_progress(((s, {}) for s in settings), settings, 10, told.append)) == [
        (s, {}) for s in settings
    ]
    assert told == [
        "11/12  epochs 1  batch 4  multiplier 1  3 min left",
        "12/12  epochs 3  batch 4  multiplier 0.5  0 min left",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "no.jsonl", "neither.jsonl"], ["no.jsonl: no such file", "neither.jsonl: no such file"]),
        (
            ["--data", __file__, __file__, "--epochs", "0", "--multipliers", "-1"],
            ["0 is no value", "-1 is no value"],
        ),
    ],
)
def test_all_mistakes_of_a_call_are_told_at_once(tmp_path, capsys, arguments, expected):
    assert command.main([*arguments, "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert all(text in told for text in expected)


def test_a_table_is_made_by_a_real_server(tmp_path):
    """Two settings of twelve commands, each with three seeds."""
    data = []
    for file, n in (("train.jsonl", 12), ("valid.jsonl", 6)):
        path = tmp_path / file
        path.write_text("".join(json.dumps(row) + "\n" for row in read(HERE / "commands" / file)[:n]))
        data.append(str(path))
    grid = ["--epochs", "2", "--batches", "4", "--multipliers", "1", "4"]
    assert command.main(["--data", *data, "--out", str(tmp_path / "out"), "--task", "few", *grid]) == 0
    with gzip.open(tmp_path / "out" / "few.jsonl.gz", "rt") as file:
        first, *rest = map(json.loads, file)
    assert (first["task"], first["n_train"], first["n_valid"]) == ("few", 12, 6)
    assert 1 < first["base_loss"] < 2 * math.log(1024)
    for entry in rest:
        assert [step for step, *_ in entry["full"]] == [3, 6]
        assert [step for step, _ in entry["train"]] == [1, 2, 3, 4, 5, 6]
        assert len(entry["seeds"]) == 3
    assert min(entry["final"] for entry in rest) < first["base_loss"]
