"""A loop on a real server and a real store, run as a user runs it: as a command in a process of its own."""

import json
import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture(scope="module")
def finished(command, write_spec):
    """A loop of two jobs that has ended, and what it printed as JSON."""
    spec = write_spec("pair")
    done = command("run", spec, "--max-jobs", 2, "--ignore-stop", "--json")
    assert done.returncode == 0, done.stderr
    return spec, json.loads(done.stdout)


def test_a_loop_submits_judges_and_reports(finished, provider_jobs):
    _, result = finished
    assert result["end"]["reason"] == "jobs"
    assert [job["number"] for job in result["jobs"]] == [1, 2]
    first, second = result["jobs"]
    assert first["hyperparameters"]["n_epochs"] == 1
    assert first["hyperparameters"] != second["hyperparameters"]
    assert second["changed"]
    assert second["why"]
    for job in result["jobs"]:
        assert job["status"] == "succeeded"
        assert job["best_valid_loss"] <= job["last_valid_loss"]
        assert job["diagnosis"]
        assert job["trained_tokens"] > 0
    assert {j.id for j in provider_jobs(result["run_id"])} == {j["id"] for j in result["jobs"]}


def test_the_kept_model_is_the_best_checkpoint_of_all(finished):
    _, result = finished
    best = min(result["jobs"], key=lambda job: job["best_valid_loss"])
    assert result["keep"]["job"] == best["id"]
    assert result["keep"]["full_valid_loss"] == best["best_valid_loss"]
    assert result["keep"]["model"]


def test_a_finished_loop_reports_itself(finished, command, provider_jobs):
    spec, result = finished
    again = command("run", spec, "--max-jobs", 2, "--ignore-stop", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == result
    assert len(provider_jobs(result["run_id"])) == 2


def test_status_shows_the_same(finished, command):
    _, result = finished
    shown = json.loads(command("status", "pair", "--json").stdout)
    assert shown["jobs"] == result["jobs"]
    assert "pair" in command("status").stdout


def test_a_changed_spec_is_refused_and_named(finished, command, write_spec):
    spec, _ = finished
    text = spec.read_text()
    try:
        write_spec("pair", "seed = 7")
        refused = command("run", spec, "--max-jobs", 2)
    finally:
        spec.write_text(text)
    assert refused.returncode == 2
    assert "seed was 0 and is now 7" in refused.stderr
    assert "--new" in refused.stderr


def test_a_larger_budget_goes_on(finished, command, provider_jobs):
    spec, result = finished
    more = command("run", spec, "--max-jobs", 3, "--ignore-stop", "--json")
    assert more.returncode == 0, more.stderr
    longer = json.loads(more.stdout)
    assert longer["end"]["reason"] == "jobs"
    assert longer["run_id"] == result["run_id"]
    assert longer["jobs"][:2] == result["jobs"]
    assert len(provider_jobs(result["run_id"])) == len(longer["jobs"]) == 3


def test_new_begins_afresh(finished, command, provider_jobs):
    spec, result = finished
    fresh = command("run", spec, "--max-jobs", 1, "--new", "--json")
    assert fresh.returncode == 0, fresh.stderr
    other = json.loads(fresh.stdout)
    assert other["run_id"] != result["run_id"]
    assert len(provider_jobs(other["run_id"])) == 1


def test_parallel_jobs_are_each_their_own(command, write_spec, provider_jobs):
    done = command("run", write_spec("wide"), "--max-jobs", 3, "--parallel", 2, "--ignore-stop", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    settings = {json.dumps(job["hyperparameters"], sort_keys=True) for job in result["jobs"]}
    assert len(settings) == len(result["jobs"]) == len(provider_jobs(result["run_id"])) == 3
    assert all(job["diagnosis"] for job in result["jobs"])


def test_the_task_itself_is_scored_and_can_be_the_objective(command, write_spec, folder):
    spec = write_spec("scored", 'objective = "f1"\n[eval]\ntest = "valid.jsonl"\nmetric = "f1"')
    done = command("run", spec, "--max-jobs", 1, "--json")
    assert done.returncode == 0, done.stderr
    (job,) = json.loads(done.stdout)["jobs"]
    assert 0 <= job["metrics"]["f1"] <= 1


def test_a_token_budget_ends_the_loop(finished, command, write_spec):
    """It bears the first job, which has one epoch, but not two such jobs."""
    used = finished[1]["jobs"][0]["trained_tokens"]
    limit = max(used, 600) + used // 2  # the estimate of the first job from its file is 412
    words = ["--max-jobs", 5, "--ignore-stop", "--json", "--max-trained-tokens"]
    done = command("run", write_spec("thrift"), *words, limit)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["end"]["reason"] == "trained_tokens"
    assert [job["trained_tokens"] for job in result["jobs"]] == [used]


def test_a_budget_that_does_not_pay_for_one_job_makes_none(command, write_spec, provider_jobs):
    done = command("run", write_spec("broke"), "--max-trained-tokens", 1, "--json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["end"]["reason"], result["jobs"]) == ("trained_tokens", [])
    assert provider_jobs(result["run_id"]) == []


def test_all_problems_of_a_call_come_together(command, folder):
    bad = folder / "bad.toml"
    bad.write_text('nam = "x"\ntrain = "gone.jsonl"\nmodel = "embedded-tiny"\n')
    done = command("run", bad)
    assert done.returncode == 2
    for words in ("name is missing", "gone.jsonl", "did you mean name?"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_limits_outside_the_providers_are_refused(command, folder, write_spec):
    spec = write_spec("outside")
    text = spec.read_text().replace("[4, 8, 12]", "[8, 100000]").replace("[1, 2, 3]", "[1, 1000]")
    spec.write_text(text.replace("n_epochs = 1,", "n_epochs = 1000,"))
    done = command("run", spec)
    assert done.returncode == 2
    assert "space.batch_size: 100000 is outside the provider's limits" in done.stderr
    assert "start.n_epochs: 1000 is outside the provider's limits" in done.stderr


def test_a_refused_first_job_can_be_mended(command, write_spec):
    spec = write_spec("typo")
    good = spec.read_text()
    spec.write_text(good.replace("embedded-tiny", "embedded-tinny"))
    refused = command("run", spec, "--max-jobs", 1)
    assert refused.returncode in (1, 2)
    assert "embedded-tinny" in refused.stderr
    assert "Traceback" not in refused.stderr
    spec.write_text(good)
    mended = command("run", spec, "--max-jobs", 1, "--json")
    assert mended.returncode == 0, mended.stderr
    assert len(json.loads(mended.stdout)["jobs"]) == 1


def test_an_address_where_nobody_answers_leaves_no_loop(command, write_spec, folder):
    """The finished loop of the name stays the one that is meant."""
    spec = write_spec("nobody")
    done = command("run", spec, "--base-url", "http://127.0.0.1:9/v1")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert command("status", "nobody").returncode == 2


def test_a_cancelled_job_counts_and_the_loop_goes_on(write_spec, folder, environment, onprem):
    """Somebody cancels the first job at the provider while the loop follows it."""
    import openai

    spec = write_spec("cancelled")
    text = spec.read_text().replace("n_epochs = 1, batch_size = 8", "n_epochs = 12, batch_size = 1")
    spec.write_text(text.replace("[1, 2, 3]", "[1, 2, 12]").replace("[4, 8, 12]", "[1, 8, 12]"))
    client = openai.OpenAI(base_url=onprem, api_key="none")
    before = {job.id for job in client.fine_tuning.jobs.list()}
    words = [
        sys.executable,
        "-m",
        "experiments",
        "run",
        str(spec),
        "--max-jobs",
        "2",
        "--ignore-stop",
        "--json",
    ]
    process = subprocess.Popen(
        words, cwd=folder, env=environment | {"OPENAI_BASE_URL": onprem}, stdout=subprocess.PIPE, text=True
    )
    new = []
    while not new:
        assert process.poll() is None
        time.sleep(0.2)
        new = [job for job in client.fine_tuning.jobs.list() if job.id not in before]
    client.fine_tuning.jobs.cancel(new[0].id)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    first, second = json.loads(out)["jobs"]
    assert (first["id"], first["status"]) == (new[0].id, "cancelled")
    assert second["status"] == "succeeded"


def begun(process):
    """Wait for the first line about a job; False where there is none."""
    return any(line.startswith(b"job ") for line in iter(process.stderr.readline, b""))


def test_kill_9_while_a_job_runs_loses_nothing(
    command, write_spec, folder, environment, onprem, provider_jobs
):
    """Killed three times, each a little later after it has begun; in the end the loop has its jobs once each."""
    spec = write_spec("hard")
    words = [sys.executable, "-m", "experiments", "run", str(spec), "--max-jobs", "3", "--ignore-stop"]
    for seconds in (0.0, 1.0, 2.0):
        process = subprocess.Popen(
            words, cwd=folder, env=environment | {"OPENAI_BASE_URL": onprem}, stderr=subprocess.PIPE
        )
        assert begun(process)  # it says what it submits or has judged
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = command("run", spec, "--max-jobs", 3, "--ignore-stop", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    jobs = provider_jobs(result["run_id"])
    assert len({j.metadata["finetune_advisor.job"] for j in jobs}) == len(jobs) == len(result["jobs"]) == 3


def test_a_second_process_is_told_so(command, write_spec, folder, environment, onprem):
    spec = write_spec("busy")
    words = [sys.executable, "-m", "experiments", "run", str(spec), "--max-jobs", "2", "--ignore-stop"]
    first = subprocess.Popen(
        words, cwd=folder, env=environment | {"OPENAI_BASE_URL": onprem}, stderr=subprocess.PIPE
    )
    try:
        assert begun(first)  # the lock is held
        second = command("run", spec)
        assert second.returncode == 2
        assert f"already being run by process {first.pid}" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert first.returncode in (0, 130)
