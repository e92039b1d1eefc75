"""kill -9 between any two calls of the loop, and within the call that makes a job: started again, it ends with every job
once."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.demo import server

MORTAL = str(Path(__file__).with_name("mortal.py"))
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def die_after(folder, environment, onprem):
    """Run a loop of two jobs that is killed after a call, see mortal.py; the finished process is returned."""

    def _die_after(calls, spec):
        words = [
            sys.executable,
            MORTAL,
            str(calls),
            "run",
            str(spec),
            "--max-jobs",
            "2",
            "--ignore-stop",
            "--json",
        ]
        more = {"OPENAI_BASE_URL": onprem}
        return subprocess.run(
            words, cwd=folder, env=environment | more, capture_output=True, text=True, timeout=240
        )

    return _die_after


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


def test_a_loop_that_dies_again_and_again_still_ends(die_after, write_spec, provider_jobs):
    """Each life is a call longer than the one before."""
    spec = write_spec("lives")
    for calls in range(1, 100):
        process = die_after(calls, spec)
        if process.returncode != KILLED:
            break
    result = check(process, provider_jobs)
    assert calls > 3  # it was killed more than once or twice
    assert result["end"]["reason"] == "jobs"


@pytest.mark.parametrize(
    "moment",
    [
        "create:1",
        pytest.param("_open_run:1", marks=pytest.mark.slow),
        pytest.param("upload:1", marks=pytest.mark.slow),
        pytest.param("create:2", marks=pytest.mark.slow),
        pytest.param("_note_id:1", marks=pytest.mark.slow),
    ],
)
def test_a_job_is_made_once_though_its_making_was_cut_off(moment, die_after, write_spec, provider_jobs):
    """Among the moments is the dear one: the provider has made the job, and nobody has noted its id yet."""
    spec = write_spec(moment.strip("_").replace(":", "-"))
    # A file that was sent before is not sent again: this moment needs one of its own.
    spec.with_name("own.jsonl").write_text(spec.with_name("train.jsonl").read_text() * 2)
    if moment.startswith("upload"):
        spec.write_text(spec.read_text().replace("train.jsonl", "own.jsonl"))
    assert die_after(moment, spec).returncode == KILLED
    check(die_after(10_000, spec), provider_jobs)


def test_a_plan_that_may_be_a_job_binds_the_spec(die_after, command, write_spec):
    """Killed after the provider's answer: with a changed spec the job would be lost, so the change is refused."""
    spec = write_spec("bound")
    assert die_after("create:1", spec).returncode == KILLED
    write_spec("bound", "seed = 7")
    refused = command("run", spec)
    assert refused.returncode == 2
    assert "seed was 0 and is now 7" in refused.stderr


def test_a_job_that_the_provider_does_not_know_is_told(die_after, command, write_spec):
    """The loop is begun at one server and gone on with at another."""
    spec = write_spec("moved")
    assert die_after(3, spec).returncode == KILLED  # begun, planned, submitted
    with server() as elsewhere:
        done = command("run", spec, "--base-url", elsewhere)
    assert done.returncode == 1
    assert "does not know job ftjob-" in done.stderr
    assert "--base-url" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_single_call_can_be_the_last(die_after, write_spec, provider_jobs):
    """A loop per call: killed after it, then run to its end."""
    for calls in range(1, 100):
        spec = write_spec(f"call-{calls}")
        first = die_after(calls, spec)
        if first.returncode != KILLED:
            check(first, provider_jobs)
            break
        check(die_after(10_000, spec), provider_jobs)
    assert calls > 10  # all of the loop's calls were met
