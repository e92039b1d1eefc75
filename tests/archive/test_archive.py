"""An account on disk: whole, verifiable, resumable, and as good as the provider for rebuilding MLflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from quirks import Quirks, QuirkServer

from tracker.archive.load import load_job
from tracker.archive.store import Archive
from tracker.archive.verify import verify
from tracker.cli import main
from tracker.runs import reader

LONG_AGO = 1_600_000_000  # jobs that ended long ago are not looked at again
# What is set anew with each run, or names the place of the store.
OWN = ("run_id", "artifact_uri", "experiment_id")


def account(jobs=6, quirks=None):
    """A provider with finished, failed and cancelled jobs that share a training file."""
    server = QuirkServer(quirks, steps=4)
    train = server.add_file(b'{"prompt": "SECRET", "completion": "a"}\n', "train.jsonl")
    for i in range(jobs):
        end = ("succeeded", "failed", "cancelled")[i % 3]
        server.add_job(created_at=LONG_AGO + i, end=end, training_file=train if i % 2 else None)
    return server


def tracker(*words, **environment):
    """The command in a process of its own."""
    env = os.environ | {"OPENAI_API_KEY": "none", **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", *map(str, words)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def create(server, folder, store, *words):
    return main(["archive", "create", str(folder), "--base-url", server.url, "--tracking-uri", store, *words])


def everything(store):
    """All that a store says about its jobs, by job: params, tags, points with their times, status, artifacts."""
    source = reader(store)
    rows = source.runs(tag=("job.id", None))
    curves = source.curves([row.run_id for row in rows])
    found = {}
    for row in rows:
        own = {key: value for key, value in vars(row).items() if key not in OWN}
        own["tags"] = {k: v for k, v in row.tags.items() if k not in ("mlflow.user",)}
        artifacts = {p.name: p.read_text() for p in _artifacts(row.artifact_uri)}
        found[row.tags["job.id"]] = (own, curves[row.run_id], artifacts)
    return found


def _artifacts(uri):
    from pathlib import Path
    from urllib.parse import unquote, urlsplit

    folder = Path(unquote(urlsplit(uri).path))
    return sorted(folder.glob("*")) if folder.is_dir() else []


def follow(session, server):
    session.follow([session.watch(job_id) for job_id in server.jobs])


def sync(session, server):
    from tracker.sync import sync

    session.wait(sync(session))
    session.writer.flush()


@pytest.mark.parametrize("record", [follow, sync])
def test_import_gives_what_recording_gave(tmp_path, store, record):
    from tracker.session import Session

    with account() as server:
        with Session(server.url, "none", "onprem", store) as session:
            record(session, server)
        assert create(server, tmp_path / "a", store, "--provider", "onprem") == 0
    (tmp_path / "two").mkdir()
    second = f"sqlite:///{tmp_path / 'two' / 'mlflow.db'}"
    assert main(["archive", "import", str(tmp_path / "a"), "--tracking-uri", second]) == 0
    first = everything(store)
    assert len(first) == 6
    assert everything(second) == first


def test_importing_twice_changes_nothing(tmp_path, store):
    with account(3) as server:
        create(server, tmp_path / "a", store)
    main(["archive", "import", str(tmp_path / "a"), "--tracking-uri", store])
    before = everything(store)
    main(["archive", "import", str(tmp_path / "a"), "--tracking-uri", store])
    assert everything(store) == before


def test_files_are_kept_once_and_as_served(tmp_path, store):
    with account() as server:
        assert create(server, tmp_path / "a", store) == 0
        served = next(
            data for described, data in server.files.values() if described["filename"] == "train.jsonl"
        )
    archive = Archive.open(tmp_path / "a")
    kept = {digest for job in archive.of_kind("job") for digest in job["data"].values()}
    assert [archive.load(digest) for digest in kept] == [served]
    results = [archive.load(d) for job in archive.of_kind("job") for d in job["results"].values()]
    assert len(results) == 2
    assert all(data.startswith(b"step,train_loss") for data in results)


def test_a_second_run_reads_no_job_again(tmp_path, store, capsys):
    with account() as server:
        create(server, tmp_path / "a", store)
        server.requests.clear()
        capsys.readouterr()
        assert create(server, tmp_path / "a", store, "--json") == 0
        assert all(request == "GET /fine_tuning/jobs" for request in server.requests)
    done = json.loads(capsys.readouterr().out)
    assert (done["archived"], done["unchanged"], done["failed"]) == (0, 6, {})


def test_a_job_that_still_runs_is_read_again(tmp_path, store, capsys):
    with QuirkServer(steps=3, step_s=0.2) as server:
        server.add_job()
        create(server, tmp_path / "a", store)
        time.sleep(1.0)
        capsys.readouterr()
        create(server, tmp_path / "a", store, "--json")
    assert json.loads(capsys.readouterr().out)["archived"] == 1
    [job] = Archive.open(tmp_path / "a").of_kind("job")
    assert json.loads(Archive.open(tmp_path / "a").load(job["job"]))["status"] == "succeeded"


ODD = {
    "pages": Quirks(duplicate_pages=True, shuffle_pages=True, no_has_more=True),
    "storms": Quirks(storms=[("events", 429, 0.1), ("content", 500, None), ("fine_tuning/jobs$", 503, None)]),
    "cuts": Quirks(cut_before=["content", "events"], cut_after=["checkpoints", "content"]),
    "base64": Quirks(csv_base64=True),
}


@pytest.mark.parametrize("quirks", ODD.values(), ids=ODD)
def test_an_odd_provider_is_archived_all_the_same(tmp_path, store, quirks):
    with account(30, quirks) as server:
        assert create(server, tmp_path / "a", store) == 0
        served = {file_id: data for file_id, (_, data) in server.files.items()}
        events = {job_id: len(server.events(job)) for job_id, job in server.jobs.items()}
    archive = Archive.open(tmp_path / "a")
    jobs = {entry["id"]: load_job(archive, entry) for entry in archive.of_kind("job")}
    assert {job_id: len(job.events) for job_id, job in jobs.items()} == events
    assert len([job for job in jobs.values() if job.results]) == 10
    assert all(served[file_id] == data for job in jobs.values() for file_id, data in job.results.items())
    assert verify(tmp_path / "a").problems == []


def test_what_the_provider_lost_is_listed_and_no_failure(tmp_path, store, capsys):
    with account(2, Quirks(missing=("/files/file-1",))) as server:
        assert create(server, tmp_path / "a", store) == 0
    assert "file-1" in capsys.readouterr().out
    assert verify(tmp_path / "a").problems == []


def test_what_could_not_be_read_fails_and_the_next_run_goes_on(tmp_path, store, capsys):
    with account(3, Quirks(storms=[("jobs/ftjob-3/events", 403, None)])) as server:
        assert create(server, tmp_path / "a", store) == 1
        assert "ftjob-3 could not be read" in capsys.readouterr().err
        assert create(server, tmp_path / "a", store) == 0
    assert len(Archive.open(tmp_path / "a").of_kind("job")) == 3


def test_a_refused_data_file_is_told_and_asked_for_again(tmp_path, store, capsys):
    with account(2, Quirks(storms=[("files/file-1/content", 403, None)])) as server:
        assert create(server, tmp_path / "a", store) == 0
        told = capsys.readouterr().out
        assert "refuses" in told
        assert "file-1" in told
        assert create(server, tmp_path / "a", store, "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["archived"], done["unchanged"], done["missing"], done["refused"]) == (1, 1, [], [])
    assert None not in [
        d for job in Archive.open(tmp_path / "a").of_kind("job") for d in job["data"].values()
    ]


def test_a_key_that_expires_ends_the_run_and_loses_no_file(tmp_path, store, capsys):
    with account(6, Quirks(storms=[("files/file-1/content", 401, None)])) as server:
        assert create(server, tmp_path / "a", store) == 1
        assert "401" in capsys.readouterr().err
        assert create(server, tmp_path / "a", store) == 0
    jobs = Archive.open(tmp_path / "a").of_kind("job")
    assert len(jobs) == 6
    assert None not in [digest for job in jobs for digest in job["data"].values()]


def test_another_account_is_refused(tmp_path, store, capsys):
    with account(1) as first, account(1) as second:
        create(first, tmp_path / "a", store)
        assert create(second, tmp_path / "a", store) == 2
    assert "folder of its own" in capsys.readouterr().err


def test_two_writers_at_once_are_refused(tmp_path, store, capsys):
    other = Archive(tmp_path / "a")
    other.lock()
    with account(1) as server:
        assert create(server, tmp_path / "a", store) == 2
    assert "another process" in capsys.readouterr().err


def test_no_archive_is_no_archive(tmp_path, capsys):
    assert main(["archive", "verify", str(tmp_path)]) == 2
    assert "is no archive" in capsys.readouterr().err


def test_killed_again_and_again_it_ends_whole(tmp_path, store):
    kills = 0
    with account(40) as server:
        for patience in (0.8, 1.0, 1.2, 1.4, 60.0):
            process = tracker(
                "archive", "create", tmp_path / "a", "--base-url", server.url, "--tracking-uri", store
            )
            try:
                process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        assert process.returncode == 0, process.stderr.read()
    assert kills > 0
    found = verify(tmp_path / "a")
    assert (found.problems, found.jobs) == ([], 40)
    assert not list((tmp_path / "a" / "drafts").iterdir())
