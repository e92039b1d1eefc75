"""The command line: doctor, models, and every --help."""

import json
import resource
import subprocess
import sys

import pytest

from onprem.cli import build, main


def command(capsys, *arguments) -> str:
    """Run the command line in this process; returns what it printed."""
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out.strip()


def test_doctor_reports(tmp_path, capsys):
    code = main(["doctor", "--json", "--data-dir", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert code == bool(report["problems"])
    assert report["disk_free_gb"] > 0
    assert report["torch"].startswith("2.")
    assert report["store"] == "ok"


def test_memory_that_holds_copies_of_files_counts_as_free(monkeypatch):
    from pathlib import Path

    from onprem import examine

    told = "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 8000 kB\n"
    monkeypatch.setattr(Path, "read_text", lambda path: told)
    assert examine.free_memory() == 8000 * 1024


def test_models_are_added_listed_and_removed(tmp_path, capsys):
    from onprem.registry import EMBEDDED

    here = ("--data-dir", tmp_path)
    command(capsys, "models", "add", "mine", EMBEDDED, *here)
    names = [row["name"] for row in json.loads(command(capsys, "models", "list", "--json", *here))]
    assert names == ["embedded-tiny", "mine"]
    command(capsys, "models", "remove", "mine", *here)
    assert main(["models", "remove", "mine", *map(str, here)]) == 2
    assert main(["models", "add", "../up", str(EMBEDDED), *map(str, here)]) == 2
    assert main(["models", "add", "none", str(tmp_path), *map(str, here)]) == 2
    assert main(["models", "remove", "embedded-tiny", *map(str, here)]) == 2


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../up", "a\\b", "", ".hidden", "x" * 65, "a:b"])
def test_a_bad_model_name_is_refused_before_anything_is_written(tmp_path, monkeypatch, capsys, name):
    from onprem import gguf

    monkeypatch.setattr(
        gguf, "convert", lambda *_: pytest.fail("converted under a name that was not checked")
    )
    monkeypatch.setattr("onprem.obtain._download", lambda *_: pytest.fail("downloaded"))
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    for source in (tmp_path / "x.gguf", "org/name"):
        assert main(["models", "add", name, str(source), "--data-dir", str(tmp_path / "data")]) == 2
        assert "cannot be a model's name" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_no_hub_name(tmp_path, capsys):
    assert main(["models", "add", "foo", "/none/such", "--data-dir", str(tmp_path)]) == 2
    assert "/none/such is not there" in capsys.readouterr().err


def test_a_model_that_live_jobs_need_is_neither_removed_nor_replaced(tmp_path, capsys):
    from test_onprem_queue import queue

    from onprem.registry import EMBEDDED
    from onprem.store import DataFolder, open_database

    here = ("--data-dir", tmp_path)
    command(capsys, "models", "add", "m", EMBEDDED, *here)
    db = open_database(DataFolder.at(tmp_path))
    queue(db, "ftjob-live")
    for action in (["add", "m", EMBEDDED], ["remove", "m"]):
        assert main(["models", *map(str, action), *map(str, here)]) == 2
        assert "needed by ftjob-live" in capsys.readouterr().err
    db.connection().execute("update jobs set status = 'cancelled'")
    command(capsys, "models", "remove", "m", *here)


COMMANDS = ("", "serve", "doctor", "models", "models add", "models remove", "models list", "keys", "keys add",
            "keys revoke", "keys forget", "keys list")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_the_command_line_takes(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    _, _, examples = capsys.readouterr().out.partition("example")
    lines = [line.split("#")[0].split() for line in examples.splitlines() if line.startswith("  onprem ")]
    assert lines, "an example"
    for line in lines:
        assert line[1 : 1 + len(command.split())] == command.split()
        build().parse_args(line[1:])


def test_help_answers_in_a_blink():
    """CPU seconds, which other processes do not change; the least of three, since a first run reads the disk."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "onprem", "models", "add", "--help"], capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.25  # 0.05 s measured


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_a_key_is_somebodys(tmp_path, name):
    assert main(["keys", "add", name, "--data-dir", str(tmp_path)]) == 2
