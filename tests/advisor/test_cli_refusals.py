"""The command `advisor`: what it refuses or doubts, and how it says so."""

import json
import resource
from pathlib import Path

import pytest
from cli_door import run
from tell_jobs import overfitted, record


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (wrong, "KIND=LEFT")
        for wrong in ("usd=nan", "jobs=inf", "hours=3", "usd", "jobs=-1", "jobs=1.5", "usd=-0.5")
    ]
    + [("jobs=1,jobs=3", "jobs is given twice")],
)
def test_a_budget_that_is_no_amount_is_refused_before_anything_is_read(capsys, budget, told):
    with pytest.raises(SystemExit) as end:
        run(capsys, "recommend", "--budget", budget)
    assert end.value.code == 2
    assert told in capsys.readouterr().err


def test_a_budget_that_pays_for_nothing_ends_with_the_word_to_stop_and_nothing_to_paste(capsys, tmp_path):
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([overfitted(1, trained_tokens=5000)]))
    code, out, err = run(capsys, "recommend", "--jobs", str(path), "--budget", "trained_tokens=900")
    assert (code, err) == (0, "")
    assert (
        "Stop: what is left does not pay for the shortest job: 900 trained_tokens, 1000 needed"
        in " ".join(out.split())
    )
    assert all(words not in out for words in ("go on", "Paste", "why:", "expect:"))


def test_a_budget_that_pays_for_fewer_settings_than_asked_for_is_named_for_it(capsys, jobs_file):
    code, out, err = run(capsys, "recommend", "--jobs", jobs_file, "--n", "3", "--budget", "jobs=2", "--json")
    assert (code, len(json.loads(out)["proposals"])) == (0, 2)
    assert "3 settings asked for, 2 proposed: no more within the budget" in err


def test_a_budget_that_no_job_lets_us_reckon_with_is_refused(capsys, tmp_path):
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([overfitted(1)]))
    code, out, err = run(capsys, "recommend", "--jobs", str(path), "--budget", "usd=0.5")
    assert (code, out) == (2, "")
    assert "the budget of usd cannot be kept: no job says its cost_usd" in err
    assert "context.train_usd" in err


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([record(1), overfitted(1)], "2 jobs have the id ftjob-1: taken as different jobs"),
        (
            [{"job_id": "x", "losses": [1, 2], "hyperparameters": {"n_epochs": 3}}],
            "its job_id, losses is not known",
        ),
        (
            [record(1, hyperparameters={"n_epochs": -3, "batch_size": 8})],
            'jobs[0] (ftjob-1): hyperparameters.n_epochs is -3 (int); expected a positive number, "auto", -1 or null',
        ),
        (
            [record(1, hyperparameters={"learning_rate": 1e-4, "learning_rate_multiplier": 2})],
            "hyperparameters has both learning_rate_multiplier 2 and learning_rate 0.0001; expected the one that the "
            "provider takes: learning_rate is left out",
        ),
        ([record(1, hyperparameters={"n_epochs": -1, "batch_size": "auto", "learning_rate": None})], ""),
        ([record(1, suffix="x")], ""),
        ([{"id": "x", "status": "queued", "suffix": "x"}], ""),
    ],
)
def test_what_is_legal_and_probably_not_meant_is_said(capsys, tmp_path, records, told):
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps(records))
    code, _, err = run(capsys, "recommend", "--jobs", str(path))
    assert code == 0
    assert err.count(told) == 1 if told else not err, "once, and not for each time that the record is read"


@pytest.mark.parametrize(
    ("place", "code", "told"),
    [
        ("no/folder/r.html", 1, "make the folder first"),
        ("folder.html", 1, "is a folder"),
        ("", 2, "expected a file that ends in .html, .htm, .md or .json"),
        ("r.pdf", 2, "r.pdf: expected a file that ends in .html, .htm, .md or .json"),
    ],
)
def test_a_report_that_cannot_be_written_says_what_to_do(capsys, tmp_path, jobs_file, place, code, told):
    (tmp_path / "folder.html").mkdir()
    ended, _, err = run(capsys, "report", jobs_file, "-o", str(tmp_path / place))
    assert (ended, told in err) == (code, True), err


def test_a_report_is_not_written_over_what_it_is_made_of(capsys, jobs_file):
    before = Path(jobs_file).read_bytes()
    code, _, err = run(capsys, "report", jobs_file, "-o", jobs_file)
    assert (code, "name another file" in err) == (2, True)
    assert Path(jobs_file).read_bytes() == before


def test_a_report_takes_the_place_of_an_older_one_and_of_no_other_json(capsys, tmp_path, jobs_file):
    space, older = tmp_path / "space.json", tmp_path / "older.json"
    space.write_text('{"n_epochs": [1, 2]}')
    code, _, err = run(capsys, "report", jobs_file, "--space", str(space), "-o", str(space))
    assert (code, "is there and no report" in err) == (2, True)
    assert space.read_text() == '{"n_epochs": [1, 2]}'
    for _ in range(2):
        assert run(capsys, "report", jobs_file, "-o", str(older))[0] == 0


@pytest.mark.parametrize("name", ["README.md", "index.html", "package.json", "NOTES.HTM"])
def test_a_report_is_written_over_no_file_of_somebody(capsys, tmp_path, jobs_file, name):
    theirs = tmp_path / name
    theirs.write_text("# Mine <title>of mine</title>")
    code, _, err = run(capsys, "report", jobs_file, "-o", str(theirs))
    assert (code, "is there and no report" in err) == (2, True)
    assert theirs.read_text() == "# Mine <title>of mine</title>"


@pytest.mark.parametrize("name", ["r.md", "r.html", "r.htm", "r.json"])
def test_a_report_takes_the_place_of_an_older_one_with_its_mode_and_behind_its_link(
    capsys, tmp_path, jobs_file, name
):
    older, link = tmp_path / name, tmp_path / f"newest-{name}"
    older.touch()  # an empty file is nothing to lose
    older.chmod(0o640)
    link.symlink_to(older)
    for _ in range(2):
        assert run(capsys, "report", jobs_file, "-o", str(link))[0] == 0
        assert link.is_symlink()
        assert (older.stat().st_size > 1000, older.stat().st_mode & 0o777) == (True, 0o640)


def test_a_report_that_is_interrupted_leaves_nothing_behind(capsys, tmp_path, jobs_file, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    before = sorted(tmp_path.iterdir())
    assert run(capsys, "report", jobs_file, "-o", str(tmp_path / "r.html"))[0] == 130
    assert sorted(tmp_path.iterdir()) == before


def test_a_report_goes_to_standard_output(capsys, tmp_path, jobs_file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "report", jobs_file, "-o", "-")
    assert (code, err) == (0, "")
    assert out.startswith("<!doctype html>")
    assert out.rstrip().endswith("</html>")
    assert not Path("-").exists()


def test_what_has_no_effect_together_is_refused(capsys, jobs_file):
    with pytest.raises(SystemExit) as end:
        run(capsys, "recommend", "--jobs", jobs_file, "--guide-only", "--replicate")
    assert end.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_fewer_proposals_than_asked_for_are_said(capsys, jobs_file):
    code, out, err = run(capsys, "recommend", "--jobs", jobs_file, "--n", "1000", "--json")
    assert code == 0
    assert f"1000 settings asked for, {len(json.loads(out)['proposals'])} proposed" in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{broken", ["no JSON", "line 1"]),
        ("", ["empty"]),
        ("3", ["list of jobs"]),
        ('{"jobs": 3}', ["jobs is of type int"]),
        (
            '{"context": {"n_train_examples": [5], "train_tokens": -1, "model": 3, "provider": []}}',
            [
                "context.n_train_examples is [5]",
                "train_tokens is -1",
                "context.model is 3",
                "context.provider",
            ],
        ),
        ("{}", ["none of context, hyperparameters, jobs, space"]),
        (
            '[{"train_loss": 3}, {"id": "j2", "hyperparameters": {"n_epochs": "many"}}]',
            ["jobs[0]: train_loss", "jobs[1] (j2)", "'many'"],
        ),
        ('{"jobs": [], "space": {"n_epochs": []}, "context": 7}', ["space.n_epochs", "context"]),
    ],
)
def test_wrong_input_ends_with_2_and_a_line_for_every_problem(capsys, tmp_path, content, told):
    path = tmp_path / "jobs.json"
    path.write_text(content)
    code, out, err = run(capsys, "recommend", "--jobs", str(path))
    assert (code, out) == (2, "")
    assert all(words in err for words in told)
    assert all(line.startswith("advisor: ") for line in err.splitlines())


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["recommend"], "0 sources of jobs given"),
        (["recommend", "abc", "--experiment", "x"], "2 sources of jobs given"),
        (["recommend", "--jobs", "nowhere.json"], "nowhere.json: no such file"),
        (["recommend", "--jobs", "."], "expected a run's folder, or name a file in it"),
        (["diagnose", "nowhere.csv"], "no such file"),
        (["data", "nowhere.jsonl"], "no such file"),
        (["explain", "FT20"], "Did you mean FT20"),
        (["explain", "rising agian"], "Did you mean rising-again"),
        (["explain", "FT2O1"], "Did you mean FT201"),
        (["explain", "FT999"], "there is no rule 'FT999'. `advisor rules` lists them all"),
        (["explain", "overfiting"], "Did you mean overfitting"),
    ],
)
def test_wrong_usage_says_what_to_do(capsys, argv, told):
    code, _, err = run(capsys, *argv)
    assert code == 2
    assert told in err
    assert "Traceback" not in err


def test_a_file_of_no_known_format_is_refused_with_what_was_tried(capsys, tmp_path):
    path = tmp_path / "notes.md"
    path.write_text("hello")
    code, _, err = run(capsys, "diagnose", str(path))
    assert code == 2
    assert "no training history" in err
    assert "trainer_state.json" in err


def test_an_objective_that_no_job_has_is_refused_with_those_known(capsys, jobs_file):
    code, _, err = run(capsys, "recommend", "--jobs", jobs_file, "--objective", "bleu")
    assert code == 2
    assert "'bleu'" in err
    assert "best_checkpoint" in err


def test_what_cannot_be_written_is_failed_work(capsys, jobs_file, tmp_path):
    code, _, err = run(capsys, "report", jobs_file, "-o", str(tmp_path / "nowhere" / "r.html"))
    assert code == 1
    assert "nowhere" in err


def test_a_file_that_is_no_text_is_named(capsys, tmp_path):
    path = tmp_path / "jobs.json"
    path.write_bytes(b"\xff\xfe\x00")
    code, _, err = run(capsys, "recommend", "--jobs", str(path))
    assert code == 2
    assert "no UTF-8" in err


def test_a_report_that_does_not_fit_leaves_the_older_one_whole(capsys, tmp_path, jobs_file):
    """A full disk, as a limit of file size has it."""
    target = tmp_path / "r.html"
    assert run(capsys, "report", jobs_file, "-o", str(target))[0] == 0
    before, limits = target.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        code, _, err = run(capsys, "report", jobs_file, "-o", str(target))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, f"{target}: " in err) == (1, True), err
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []


def test_a_key_in_an_id_is_in_no_form_of_the_answer(capsys, tmp_path):
    key = "sk-proj-Ab12Cd34Ef56Gh78"
    path = tmp_path / "jobs.json"
    losses = [[10 * n, loss] for n, loss in enumerate((2.0, 1.5, 1.3, 1.6, 1.9), 1)]
    path.write_text(
        json.dumps(
            [{"id": key, "model": f"ft:{key}", "hyperparameters": {"n_epochs": 5}, "full_valid_loss": losses}]
        )
    )
    for argv in ([], ["--json"]):
        code, out, err = run(capsys, "recommend", "--jobs", str(path), *argv)
        assert code == 0
        assert "[secret]" in out
        assert key not in out + err


@pytest.mark.parametrize(
    "argv",
    [
        ["{}"],
        ["recommend", "--budget", "{}"],
        ["recommend", "--n", "{}"],
        ["diagnose", "x", "--{}"],
        ["rules", "{}"],
    ],
    ids=" ".join,
)
def test_a_key_in_the_wrong_place_is_not_repeated(capsys, argv):
    key = "sk-proj-Ab12Cd34Ef56Gh78"
    with pytest.raises(SystemExit) as end:
        run(capsys, *(word.format(key) for word in argv))
    told = capsys.readouterr()
    assert end.value.code == 2
    assert key not in told.out + told.err
    assert "[secret]" in told.err


@pytest.mark.parametrize("columns", ["1", "2", "3", "13"])
def test_no_terminal_is_too_narrow(capsys, monkeypatch, jobs_file, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert run(capsys, "diagnose", jobs_file)[0] == 0
    with pytest.raises(SystemExit) as end:
        run(capsys, "recommend", "--help")
    assert end.value.code == 0
