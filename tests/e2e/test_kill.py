"""kill -9 between any two calls of the loop: started again, it ends with every job once."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MORTAL = str(Path(__file__).with_name("mortal.py"))
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def die_at(folder, environment, onprem):
    """Run a loop of two jobs that is killed at its n-th step; the finished process is returned."""

    def _die_at(step, spec):
        words = [
            sys.executable,
            MORTAL,
            str(step),
            "run",
            str(spec),
            "--max-jobs",
            "2",
            "--ignore-stop",
            "--json",
        ]
        more = {"OPENAI_BASE_URL": onprem}
        return subprocess.run(
            words, cwd=folder, env=environment | more, capture_output=True, text=True, timeout=120
        )

    return _die_at


def check(process, provider_jobs):
    """The loop ended well, and the provider has each of its jobs once."""
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    jobs = provider_jobs(result["run_id"])
    assert sorted(j.metadata["finetune_advisor.job"] for j in jobs) == [
        f"{result['run_id']}-{n}" for n in (1, 2)
    ]
    assert {j.id for j in jobs} == {j["id"] for j in result["jobs"]}
    assert all(j["diagnosis"] for j in result["jobs"])
    return result


def test_a_loop_that_dies_again_and_again_still_ends(die_at, write_spec, provider_jobs):
    """Each life is a few steps longer than the one before."""
    spec = write_spec("lives")
    for step in range(3, 100, 4):
        process = die_at(step, spec)
        if process.returncode != KILLED:
            break
    result = check(process, provider_jobs)
    assert step > 10  # it was killed more than once
    assert result["end"]["reason"] == "jobs"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_single_step_can_be_the_last(die_at, write_spec, provider_jobs):
    """A loop per step: killed there, then run to its end."""
    for step in range(1, 100):
        spec = write_spec(f"step-{step}")
        first = die_at(step, spec)
        if first.returncode != KILLED:
            check(first, provider_jobs)
            break
        check(die_at(10_000, spec), provider_jobs)
    assert step > 20  # all of the loop's calls were met
