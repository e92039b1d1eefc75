"""One contract that every provider keeps, met by the real client over real HTTP."""

from __future__ import annotations

import pytest
from quirks import Quirks

from tracker.jobs import JobRequest
from tracker.providers import NAMES, find

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


@pytest.mark.parametrize("name", [name for name in NAMES if speaks_openai(name)])
class TestContract:
    """Submit, follow, read back: the same for all."""

    @pytest.fixture
    def job(self, name, serve, open_session, train, valid):
        self.server = serve(FACES[name], steps=6, step_s=0.05)
        self.session = open_session(self.server, name)
        knob = "learning_rate" if self.session.provider.absolute else "learning_rate_multiplier"
        settings = {"n_epochs": 3, "batch_size": 8, knob: 1e-4 if knob == "learning_rate" else 1.8}
        model = "embedded-tiny"
        made = self.session.submit(JobRequest(train, valid, model, settings, seed=7, experiment="contract"))
        self.session.follow([made])
        return made

    def test_a_job_arrives_whole(self, name, job, db):
        assert job.status == "succeeded"
        (record,) = self.session.records(job.run_id)
        assert record["status"] == "succeeded"
        assert [step for step, _ in record["train_loss"]] == [1, 2, 3, 4, 5, 6]
        assert [step for step, _ in record["full_valid_loss"]] == [6]
        assert record["base_valid_loss"] == 3.0
        assert (record["provider"], record["n_train_examples"], record["n_valid_examples"]) == (name, 5, 2)
        assert record["hyperparameters"]["n_epochs"] == 3
        assert self.session.spool.waiting() == 0
        assert db("SELECT status FROM runs WHERE run_uuid = ?", job.run_id) == [("FINISHED",)]

    def test_no_param_is_a_placeholder(self, name, job, db):
        values = [
            value for key, value in db("SELECT key, value FROM params") if not key.startswith("requested.")
        ]
        assert not {"auto", "-1", "None", "null"} & set(values)

    def test_following_again_adds_nothing(self, name, job, db):
        before = db("SELECT key, step, value, timestamp FROM metrics ORDER BY 1, 2, 3, 4")
        again = self.session.watch(job.id)
        self.session.follow([again])
        assert db("SELECT key, step, value, timestamp FROM metrics ORDER BY 1, 2, 3, 4") == before
        assert db("SELECT COUNT(*) FROM runs") == [(1,)]

    def test_the_request_carries_our_id_and_the_providers_fields(self, name, job):
        asked = self.server.jobs[job.id].job["asked"]
        provider = find(name)
        assert asked["metadata"]["finetune_advisor.job"] == job.key
        assert provider.extra.items() <= asked.items()
        knobs = asked["method"]["supervised"]["hyperparameters"]
        assert ("learning_rate" in knobs) == provider.absolute

    def test_space_and_limits_are_on_the_providers_scale(self, name, job):
        space = self.session.provider.space("some-model")
        assert {"n_epochs", "batch_size"} < set(space)
        assert len({"learning_rate", "learning_rate_multiplier"} & set(space)) == 1
        problems = self.session.provider.problems({"n_epochs": 10_000, "batch_size": "many"})
        assert len(problems) == 2


def test_a_name_and_its_file_agree():
    assert [find(name).name for name in NAMES] == list(NAMES)


def test_azure_takes_a_bare_resource_endpoint_too(serve, open_session, train):
    server = serve(steps=2, step_s=0.02)
    session = open_session(server, "azure", server.url.removesuffix("/v1"))
    job = session.submit(JobRequest(train, None, "gpt-4o-mini"))
    session.follow([job])
    assert job.status == "succeeded"
