"""A real MLflow server on SQLite and on PostgreSQL, killed and started again while jobs are followed."""

from __future__ import annotations

import time

import pytest
from test_tracker_crash import wait_for, watch

import tracker
from experiments.benchmark.tracking.stores import MlflowServer, postgresql, postgresql_programs
from tracker.view import view_link

pytestmark = pytest.mark.slow


@pytest.fixture
def mlflow_server(uri, tmp_path):
    (tmp_path / "mlruns").mkdir()
    with MlflowServer(uri) as server:
        yield server


@pytest.fixture
def postgres():
    """Debian's PostgreSQL, in a folder of its own, as an unprivileged user; gone at the end."""
    if not postgresql_programs():
        pytest.skip("Debian's PostgreSQL is not installed (apt-get install postgresql)")
    with postgresql() as uri:
        yield uri


@pytest.mark.postgres
def test_postgresql_behind_a_server_and_directly(serve, postgres, tmp_path, train):
    server = MlflowServer(postgres, "--artifacts-destination", (tmp_path / "artifacts").as_uri())
    server.start()
    provider = serve(steps=30, step_s=0.1)
    try:
        job_id = provider.add_job()
        for uri in (server.url, postgres):  # the second sync finds the run that the first has made
            with tracker.Session(provider.url, "k", None, uri) as session:
                job = session.watch(job_id)
                session.follow([job])
                assert session.writer.flush(60)
            (record,) = tracker.records(run_id=job_id, tracking_uri=uri)
            assert [step for step, _ in record["train_loss"]] == list(range(1, 31))
            assert record["status"] == "succeeded"
    finally:
        server.kill()


def test_kill_9_of_mlflow_while_a_job_runs(serve, mlflow_server, db):
    provider = serve(steps=120, step_s=0.25)
    job_id = provider.add_job()
    process = watch(provider, mlflow_server.url, job_id)
    wait_for(lambda: db("SELECT COUNT(*) FROM metrics")[0][0] > 10, 90)
    mlflow_server.kill()
    time.sleep(4)
    mlflow_server.start()
    _, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert db("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step") == [
        (k,) for k in range(1, 121)
    ]
    assert db("SELECT COUNT(*) - COUNT(DISTINCT key || step) FROM metrics") == [(0,)]
    assert db("SELECT status FROM runs") == [("FINISHED",)]


def test_records_loops_and_links_work_over_http(serve, mlflow_server, train):
    provider = serve(steps=3, step_s=0.05)
    with tracker.Session(provider.url, "k", None, mlflow_server.url) as session:
        loop = session.start_loop("tune", "exp", {"a": 1})
        job = session.submit(tracker.JobRequest(train, None, "m"), loop=loop, job_key="k-1")
        session.follow([job])
        again = session.start_loop("tune", "exp", {"a": 1})
        assert (again.run_id, [j.id for j in again.jobs]) == (loop.run_id, [job.id])
        (record,) = session.records(loop.run_id)
        assert len(record["train_loss"]) == 3
        assert view_link(again, mlflow_server.url).startswith(mlflow_server.url)
