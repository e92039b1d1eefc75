"""A whole account's rescue: thousands of jobs, killed ten times on the way, verified, and rebuilt to the same content."""

from __future__ import annotations

import signal
import time

import pytest
from test_archive import account, everything, tracker

from tracker.archive.verify import verify

JOBS, KILLS = 2000, 10


@pytest.mark.slow
@pytest.mark.timeout(3600)  # minutes on a quiet machine; half an hour where two cores serve ten processes
def test_a_rescue_killed_ten_times(tmp_path, store):
    second = f"sqlite:///{tmp_path / 'second' / 'mlflow.db'}"
    (tmp_path / "second").mkdir()
    kills = 0
    with account(JOBS) as server:
        words = ("archive", "create", tmp_path / "a", "--base-url", server.url, "--tracking-uri", store)
        while kills < KILLS:
            process = tracker(*words)
            time.sleep(2.5)  # at 200 requests a second all of it takes half a minute at least
            assert process.poll() is None, process.stderr.read()
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        process = tracker(*words)
        _, err = process.communicate(timeout=1800)
        assert process.returncode == 0, err
        found = verify(tmp_path / "a")
        assert (found.problems, found.jobs) == ([], JOBS)
        synced = tracker("sync", "--base-url", server.url, "--tracking-uri", store)
        _, err = synced.communicate(timeout=1800)
        assert synced.returncode == 0, err
    restored = tracker("archive", "import", tmp_path / "a", "--tracking-uri", second)
    _, err = restored.communicate(timeout=1800)
    assert restored.returncode == 0, err
    assert everything(second) == everything(store)
