"""Damage to an archive: every byte of it is found, nothing is imported from it, and the next rescue mends it."""

from __future__ import annotations

import json

import pytest
from quirks import QuirkServer

from tracker.archive.store import Archive
from tracker.archive.verify import verify
from tracker.cli import main
from tracker.errors import InputError


def account():
    """A provider with two finished jobs that share a training file."""
    server = QuirkServer(steps=4)
    train = server.add_file(b'{"prompt": "SECRET", "completion": "a"}\n', "train.jsonl")
    for i in range(2):  # ended long ago: not looked at again
        server.add_job(created_at=1_600_000_000 + i, end="succeeded", training_file=train)
    return server


def create(server, folder, store, *words):
    return main(["archive", "create", str(folder), "--base-url", server.url, "--tracking-uri", store, *words])


@pytest.fixture
def folder(tmp_path, store):
    with account() as server:
        create(server, tmp_path / "a", store)
    assert verify(tmp_path / "a").problems == []
    return tmp_path / "a"


def test_every_changed_byte_is_found(folder):
    for path in list(Archive.open(folder).objects()):
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        [problem] = verify(folder).problems
        assert str(path) in problem
        path.write_bytes(data)


def test_every_missing_object_is_found(folder, tmp_path):
    for path in list(Archive.open(folder).objects()):
        path.rename(tmp_path / "away")
        assert f"{path.name} of" in verify(folder).problems[0]
        (tmp_path / "away").rename(path)


def test_a_damaged_line_is_found_and_nothing_is_imported_from_it(folder, store):
    lines = (folder / "manifest.jsonl").read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace("job", "jib", 1)
    (folder / "manifest.jsonl").write_text("".join(lines))
    assert "line 3 is damaged" in verify(folder).problems[0]
    with pytest.raises(InputError, match="line 3"):
        Archive.open(folder)


def test_a_line_cut_off_at_the_end_is_written_anew(folder, store):
    path = folder / "manifest.jsonl"
    whole = path.read_bytes()
    jobs = len(Archive.open(folder).of_kind("job"))
    *_, last, end = whole.splitlines(keepends=True)
    whole = whole.removesuffix(end)  # cut off in the midst of a rescue
    for cut in range(1, len(last)):
        path.write_bytes(whole[:-cut])
        archive = Archive.open(folder)
        assert len(archive.of_kind("job")) == jobs - 1
    entry = json.loads(last)
    archive.add(entry.pop("kind"), entry.pop("id"), **{k: v for k, v in entry.items() if k != "check"})
    assert path.read_bytes() == whole


def test_an_end_that_is_lost_is_found_and_the_next_rescue_writes_it(tmp_path, store):
    with account() as server:
        create(server, tmp_path / "a", store)
        path = tmp_path / "a" / "manifest.jsonl"
        whole = path.read_bytes()
        *_, last, end = whole.splitlines(keepends=True)
        for lost in (1, len(end), len(end) + 5, len(end) + len(last)):
            path.write_bytes(whole[:-lost])
            [problem] = verify(tmp_path / "a").problems
            assert "its end is missing" in problem
            assert create(server, tmp_path / "a", store) == 0
            assert verify(tmp_path / "a").problems == []
        before = path.read_bytes()
        assert create(server, tmp_path / "a", store) == 0
        assert path.read_bytes() == before  # nothing new: nothing is written


def test_a_place_that_cannot_be_written_to_is_told(tmp_path, store, capsys):
    (tmp_path / "file").write_text("")
    with account() as server:
        assert create(server, tmp_path / "file", store) == 2
    assert "name another folder" in capsys.readouterr().err


def test_what_is_damaged_is_read_anew_by_the_next_rescue(tmp_path, store, capsys):
    """As after a power cut: objects that the manifest names are empty, or not there at all."""
    with account() as server:
        create(server, tmp_path / "a", store)
        objects = list(Archive.open(tmp_path / "a").objects())
        for i, path in enumerate(objects):
            path.unlink() if i % 2 else path.write_bytes(b"")
        assert len(verify(tmp_path / "a").problems) == len(objects)
        capsys.readouterr()
        assert create(server, tmp_path / "a", store, "--json") == 0
    assert json.loads(capsys.readouterr().out)["archived"] == 2
    assert verify(tmp_path / "a").problems == []
