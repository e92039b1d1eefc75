"""The command `advisor`: what it answers."""

import io
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import time

import pytest
from cli_door import run
from tell_jobs import SPACE, history, overfitted, record

from advisor.cli import main
from advisor.rules import CATALOGUE


def test_recommend_tells_figures_beside_limits_the_next_setting_and_the_command(capsys, jobs_file):
    code, out, err = run(capsys, "recommend", "--jobs", jobs_file)
    assert (code, err) == (0, "")
    for words in (
        "overfitting",
        "FT201",
        "(limit",
        "Next",
        "Keep",
        "ftjob-3 at step 20",
        "whole validation set",
    ):
        assert words in out
    command = next(line for line in out.splitlines() if line.strip().startswith("tracker submit"))
    assert shlex.split(command)[2:5] == ["my data/train.jsonl", "--valid", "valid.jsonl"]
    assert "\x1b" not in out, "colours are for terminals"


def test_recommend_json_is_the_advice_and_stays_in_the_space(capsys, jobs_file):
    code, out, _ = run(capsys, "recommend", "--jobs", jobs_file, "--json", "--n", "3")
    answer = json.loads(out)
    assert code == 0
    assert {"diagnosis", "proposal", "proposals", "alternatives", "keep", "live", "command"} <= answer.keys()
    assert answer["diagnosis"]["label"] == "overfitting"
    assert len(answer["proposals"]) == len(answer["command"].splitlines()) == 3
    for proposal in answer["proposals"]:
        assert proposal["hyperparameters"]["n_epochs"] in SPACE["n_epochs"]


def test_jobs_come_from_standard_input_and_the_space_from_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(history())))
    space = tmp_path / "space.json"
    space.write_text(json.dumps({"n_epochs": [2], "batch_size": [8], "learning_rate_multiplier": [0.5, 1.0]}))
    code, out, _ = run(capsys, "recommend", "--jobs", "-", "--space", str(space), "--json")
    assert code == 0
    assert json.loads(out)["proposal"]["hyperparameters"]["n_epochs"] == 2


@pytest.mark.parametrize(
    ("fields", "rate", "most"),
    [
        ({"provider": "openai", "model": "davinci-002"}, {"learning_rate_multiplier": 0.1}, 0.2),
        ({"provider": "onprem"}, {"learning_rate": 2e-4}, 1e-2),
        ({"provider": "openai"}, {"learning_rate_multiplier": 1.0}, 10),
    ],
)
@pytest.mark.parametrize("space", [None, {"n_epochs": [1, 2, 3]}])
def test_rates_stay_on_the_scale_of_the_jobs_and_of_the_provider(capsys, tmp_path, fields, rate, most, space):
    """Also where a space limits other knobs alone; the line to paste has the same option."""
    job = overfitted(1, hyperparameters={"n_epochs": 5, "batch_size": 8} | rate, **fields)
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps({"jobs": [job], "space": space}))
    code, out, _ = run(capsys, "recommend", "--jobs", str(path), "--json")
    answer, name = json.loads(out), next(iter(rate))
    assert code == 0
    settings = [p["hyperparameters"] for p in (*answer["proposals"], *answer["alternatives"])]
    assert all(s[name] <= most and (space is None or s["n_epochs"] <= 3) for s in settings)
    assert f"--{name.replace('_', '-')} {settings[0][name]:g}" in answer["command"]


def test_without_jobs_the_first_setting_is_left_to_the_provider(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"jobs": []}'))
    code, out, _ = run(capsys, "recommend", "--jobs", "-", "--json")
    assert code == 0
    assert set(json.loads(out)["proposal"]["hyperparameters"].values()) == {"auto"}


def test_the_help_shows_jobs_that_can_be_asked_about(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["recommend", "--help"])
    shown = capsys.readouterr().out
    assert "README.md" in shown
    (tmp_path / "jobs.json").write_text(re.search(r"jobs.json, .*?:\n(.*?)\n\s*\n", shown, re.DOTALL)[1])
    (tmp_path / "space.json").write_text(re.search(r"space.json: (.*)", shown, re.DOTALL)[1])
    asked = ["--jobs", str(tmp_path / "jobs.json"), "--space", str(tmp_path / "space.json")]
    code, out, err = run(capsys, "recommend", *asked)
    assert (code, err) == (0, "")
    assert "Next" in out


@pytest.mark.parametrize(
    "argv",
    [
        ["--guide-only"],
        ["--no-prior"],
        ["--objective", "best_checkpoint"],
        ["--no-plot"],
        ["--replicate"],
        ["--budget", "jobs=3"],
    ],
)
def test_every_way_of_asking_is_answered(capsys, jobs_file, argv):
    code, out, _ = run(capsys, "recommend", "--jobs", jobs_file, *argv)
    assert code == 0
    assert "Next" in out


def test_json_can_be_written_whatever_an_id_holds(tmp_path):
    """Half a surrogate pair is legal in JSON, and no encoding can write it."""
    path = tmp_path / "odd.json"
    path.write_text(json.dumps([record(1, id="\ud800", model="\x9b31m\ud800")]))
    for options in (["--json"], []):
        argv = [sys.executable, "-m", "advisor.cli", "recommend", "--jobs", str(path), *options]
        done = subprocess.run(argv, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\\ud800" in done.stdout


def test_diagnose_reads_a_trainer_state_and_proposes_nothing(capsys, tmp_path):
    log = [{"step": 10 * i, "loss": 2.0 / i, "epoch": i} for i in range(1, 7)]
    log += [
        {"step": 10 * i, "eval_loss": loss, "epoch": i}
        for i, loss in enumerate((1.9, 1.5, 1.6, 1.9, 2.3, 2.8), 1)
    ]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": log, "global_step": 60, "num_train_epochs": 6}))
    code, out, _ = run(capsys, "diagnose", str(path))
    assert code == 0
    assert "FT201 overfitting" in out
    assert "1.5" in out
    assert "Next" not in out
    code, out, _ = run(capsys, "diagnose", str(path), "--json")
    assert json.loads(out)["diagnosis"]["label"] == "overfitting"


def test_report_and_diagnose_keep_to_the_space_of_a_file_of_jobs(capsys, tmp_path):
    path = tmp_path / "jobs.json"
    space = {"n_epochs": [4], "batch_size": [16], "learning_rate_multiplier": [0.7, 0.9]}
    path.write_text(json.dumps({"jobs": history(), "space": space}))
    code, out, _ = run(capsys, "diagnose", str(path), "--json")
    assert code == 0
    assert json.loads(out)["proposal"]["hyperparameters"]["n_epochs"] == 4


def test_a_terminal_of_few_letters_gets_plain_marks(jobs_file):
    words = [sys.executable, "-m", "advisor.cli", "recommend", "--jobs", jobs_file]
    done = subprocess.run(
        words, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert b"* whole validation set" in done.stdout
    assert b"->" in done.stdout


@pytest.mark.parametrize("name", ["rising again", "Rising-Again", "rising_again", "ft202"])
def test_a_rule_is_found_by_its_name_as_it_is_printed(capsys, name):
    assert run(capsys, "explain", name)[1].startswith("FT202")


def test_rules_and_explain_speak_of_every_rule(capsys):
    _, listing, _ = run(capsys, "rules")
    _, data, _ = run(capsys, "rules", "--json")
    known = {rule["rule"] for rule in json.loads(data)}
    assert {r.id for r in CATALOGUE} <= known
    assert "FT501" in known
    for rule in known:
        assert rule in listing
        code, page, _ = run(capsys, "explain", rule)
        assert code == 0
        for section in ("What it looks for", "Why it matters", "Risk of the change", "When it cannot tell"):
            assert section in page


def test_report_is_written_where_it_is_asked_for(capsys, tmp_path):
    source, target = tmp_path / "jobs.json", tmp_path / "report.html"
    source.write_text(json.dumps([record(1), overfitted(2)]))
    code, out, _ = run(capsys, "report", str(source), "-o", str(target))
    assert code == 0
    assert str(target) in out
    assert target.read_text().startswith("<!doctype html>")


def test_help_answers_in_a_blink():
    """Under 0.25 s on a quiet machine; here the median of five may be at most twice bare Python plus that."""

    def seconds(*words):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        return time.perf_counter() - start

    bare = statistics.median(seconds("-c", "pass") for _ in range(5))
    ours = statistics.median(seconds("-m", "advisor.cli", "--help") for _ in range(5))
    assert ours < 2 * bare + 0.25


@pytest.mark.parametrize(
    ("name", "begins"), [("r.HTM", "<!doctype html>"), ("r.md", "## Overfitting"), ("r.json", "{")]
)
def test_a_report_takes_the_form_that_its_file_ends_in(capsys, tmp_path, jobs_file, name, begins):
    target = tmp_path / name
    code, out, _ = run(capsys, "report", jobs_file, "-o", str(target))
    assert (code, str(target) in out) == (0, True)
    told = target.read_text()
    assert told.startswith(begins)
    if name.endswith(".json"):
        _, answer, _ = run(capsys, "recommend", "--jobs", jobs_file, "--json")
        assert json.loads(told) == json.loads(answer)


@pytest.mark.parametrize(("columns", "most"), [(80, 80), (200, 102)])
@pytest.mark.parametrize(
    "command", [[], ["recommend"], ["diagnose"], ["data"], ["report"], ["rules"]], ids=str
)
def test_help_fits_the_terminal_and_is_never_too_wide_to_read(capsys, monkeypatch, command, columns, most):
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    told = capsys.readouterr().out
    assert (end.value.code, max(map(len, told.splitlines())) <= most) == (0, True)
    assert command or re.search(r"^    recommend  diagnose", told, re.M), "each command on its line"


@pytest.mark.parametrize("command", ["recommend", "diagnose", "data", "report", "rules", "explain"])
def test_every_help_has_an_example(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"advisor {command}" in capsys.readouterr().out.split("examples:\n")[1]


def test_a_closed_standard_output_is_said(jobs_file):
    done = subprocess.run(
        f"{sys.executable} -m advisor.cli diagnose {jobs_file} >&-",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "advisor: standard output is closed; expected a terminal, a file or a pipe\n",
    )
