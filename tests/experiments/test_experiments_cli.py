"""The `experiments` command where no provider is needed: usage, errors, exit codes, the lock."""

import json
import multiprocessing

import pytest

from experiments.cli import main
from experiments.errors import LoopBusy
from experiments.loop_lock import alone

ROW = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


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
    (tmp_path / "train.jsonl").write_text(ROW)
    path = tmp_path / "good.toml"
    path.write_text('name = "x"\ntrain = "train.jsonl"\nmodel = "m"\n')
    assert main(["spec", str(path)]) == 0
    capsys.readouterr()
    assert main(["spec", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["train"].startswith("sha256:")


def test_bad_lines_of_the_data_are_mistakes_of_the_spec(tmp_path, capsys):
    (tmp_path / "train.jsonl").write_text(ROW + "my secret\n" + ROW + '{"messages": 3}\n')
    path = tmp_path / "broken.toml"
    path.write_text('name = "x"\ntrain = "train.jsonl"\nmodel = "m"\n')
    assert main(["spec", str(path)]) == 2
    said = capsys.readouterr().err
    assert "line 2" in said
    assert "line 4" in said
    assert "secret" not in said  # the user's text stays out of it


def test_a_loop_that_is_not_there_is_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert main(["status", "nobody"]) == 2
    assert "there is no loop 'nobody'" in capsys.readouterr().err
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_status_finds_the_store_that_env_names(tmp_path, monkeypatch, capsys):
    """As `run` does; a loop can be asked for by its run's id too, since names come again."""
    import tracker

    uri = f"sqlite:///{tmp_path}/elsewhere.db"
    (tmp_path / ".env").write_text(f"MLFLOW_TRACKING_URI={uri}\n")
    with tracker.Session("http://127.0.0.1:9/v1", tracking_uri=uri) as session:
        first, second = (session.start_loop("twice", "x", {"name": "twice"}, new=True) for _ in range(2))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # so that what .env sets is taken back afterwards
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert first.run_id[:8] in said
    assert second.run_id[:8] in said
    for asked, found in ((first.run_id[:12], first), (second.run_id, second)):
        assert main(["status", asked, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["run_id"] == found.run_id


def _hold(store, held, done):
    with alone("loop", store):
        held.set()
        done.wait(30)


def test_one_process_per_loop(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
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
    (lock, *_) = (tmp_path / "cache" / "finetune-advisor").iterdir()
    assert lock.stat().st_mode & 0o077 == 0  # nobody else's
    lock.unlink()
