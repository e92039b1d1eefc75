"""The `experiments` command where no provider is needed: usage, errors, exit codes, the lock."""

import json
import multiprocessing

import pytest

from experiments.cli import main
from experiments.errors import LoopBusy
from experiments.loop_lock import alone


@pytest.mark.parametrize(
    "words", [["--help"], *([verb, "--help"] for verb in ("run", "spec", "status", "demo"))]
)
def test_every_help_has_an_example(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["run"], ["run", "x.toml", "--max-jobs", "0"], ["run", "x", "--parallel", "two"]]
)
def test_wrong_usage_is_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "spec"])
def test_a_bad_spec_is_2_and_all_of_it_is_named(verb, tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text('nam = "x"\nmodel = 3\n')
    assert main([verb, str(path)]) == 2
    said = capsys.readouterr().err
    for words in ("4 mistakes", "name is missing", "train is missing", "model is 3", "did you mean name?"):
        assert words in said


def test_a_good_spec_is_0_and_can_be_had_as_json(tmp_path, capsys):
    (tmp_path / "train.jsonl").write_text("{}\n")
    path = tmp_path / "good.toml"
    path.write_text('name = "x"\ntrain = "train.jsonl"\nmodel = "m"\n')
    assert main(["spec", str(path)]) == 0
    capsys.readouterr()
    assert main(["spec", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["train"].startswith("sha256:")


def test_a_loop_that_is_not_there_is_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert main(["status", "nobody"]) == 2
    assert "there is no loop 'nobody'" in capsys.readouterr().err
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def _hold(store, held, done):
    with alone("loop", store):
        held.set()
        done.wait(30)


def test_one_process_per_loop(tmp_path):
    store = f"sqlite:///{tmp_path}/a.db"
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(store, held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(LoopBusy, match=f"by process {other.pid}"), alone("loop", store):
            pass
        with alone("another", store), alone("loop", store + "2"):
            pass  # other loops and other stores are free
    finally:
        other.kill()  # even killed it leaves no lock behind
        other.join()
    with alone("loop", store):
        pass
