"""One contract that every provider keeps, met by the real client over real HTTP."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from at_hand import asker, chats
from quirks import Quirks, QuirkServer

from tracker.jobs import JobRequest
from tracker.providers import NAMES, find
from tracker.session import Session

#: Each provider as it shows itself: its own placeholders, statuses and result files.
FACES = {
    "openai": Quirks(placeholder="auto"),
    "azure": Quirks(placeholder=-1, statuses={"queued": "pending"}),
    "nebius": Quirks(placeholder=None),
    "onprem": Quirks(placeholder="auto"),
    "compatible": Quirks(no_has_more=True, csv_base64=True),
}


def speaks_openai(name: str) -> bool:
    return find(name).client == "openai"


@pytest.fixture(scope="module", params=[name for name in NAMES if speaks_openai(name)])
def case(request, tmp_path_factory):
    """One job per provider, made and followed once."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    train, valid = chats(folder / "train.jsonl", 5), chats(folder / "valid.jsonl", 2)
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    with (
        QuirkServer(FACES[name], steps=6, step_s=0.05) as server,
        Session(server.url, "k", name, uri) as session,
    ):
        knob = "learning_rate" if session.provider.absolute else "learning_rate_multiplier"
        settings = {"n_epochs": 3, "batch_size": 8, knob: 1e-4 if knob == "learning_rate" else 1.8}
        asked = JobRequest(train, valid, "embedded-tiny", settings, seed=7, experiment="contract")
        job = session.submit(asked)
        session.follow([job])
        yield SimpleNamespace(name=name, server=server, session=session, job=job, ask=asker(uri))


class TestContract:
    """Submit, follow, read back: the same for all."""

    def test_a_job_arrives_whole(self, case):
        assert case.job.status == "succeeded"
        (record,) = case.session.records(case.job.run_id)
        assert record["status"] == "succeeded"
        assert [step for step, _ in record["train_loss"]] == [1, 2, 3, 4, 5, 6]
        assert [step for step, _ in record["full_valid_loss"]] == [6]
        assert record["base_valid_loss"] == 3.0
        assert (record["provider"], record["n_train_examples"], record["n_valid_examples"]) == (
            case.name,
            5,
            2,
        )
        assert record["hyperparameters"]["n_epochs"] == 3
        absolute = find(case.name).absolute
        assert record["hyperparameters"].get("learning_rate") == (1e-4 if absolute else None)
        assert record["hyperparameters"].get("learning_rate_multiplier") == (None if absolute else 1.8)
        assert case.session.spool.waiting() == 0
        assert case.ask("SELECT status FROM runs WHERE run_uuid = ?", case.job.run_id) == [("FINISHED",)]

    def test_no_param_is_a_placeholder(self, case):
        values = [
            value
            for key, value in case.ask("SELECT key, value FROM params")
            if not key.startswith("requested.")
        ]
        assert not {"auto", "-1", "None", "null"} & set(values)

    def test_following_again_adds_nothing(self, case):
        before = case.ask("SELECT key, step, value, timestamp FROM metrics ORDER BY 1, 2, 3, 4")
        again = case.session.watch(case.job.id)
        case.session.follow([again])
        assert case.ask("SELECT key, step, value, timestamp FROM metrics ORDER BY 1, 2, 3, 4") == before
        assert case.ask("SELECT COUNT(*) FROM runs") == [(1,)]

    def test_the_request_carries_our_id_and_the_providers_fields(self, case):
        asked = case.server.jobs[case.job.id].job["asked"]
        provider = find(case.name)
        assert asked["metadata"]["finetune_advisor.job"] == case.job.key
        assert provider.extra.items() <= asked.items()
        knobs = asked["method"]["supervised"]["hyperparameters"]
        assert ("learning_rate" in knobs) == provider.absolute

    def test_space_and_limits_are_on_the_providers_scale(self, case):
        space = case.session.provider.space("some-model")
        assert {"n_epochs", "batch_size"} < set(space)
        assert len({"learning_rate", "learning_rate_multiplier"} & set(space)) == 1
        problems = case.session.provider.problems({"n_epochs": 10_000, "batch_size": "many"})
        assert len(problems) == 2


def test_a_name_and_its_file_agree():
    assert [find(name).name for name in NAMES] == list(NAMES)


def test_azure_takes_a_bare_resource_endpoint_too(serve, open_session, train):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server, "azure", server.url.removesuffix("/v1"))
    job = session.submit(JobRequest(train, None, "gpt-4o-mini"))
    session.follow([job])
    assert job.status == "succeeded"
