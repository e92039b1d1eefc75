"""What the server refuses, and in whose words: OpenAI's shape, a code, the field, and no text of the user."""

import urllib.error
import urllib.request

import openai
import pytest

SECRET = "zebra-secret"


JOBS = {
    "unknown model": ({"model": "gpt-9"}, "model", "model_not_available"),
    "unknown file": ({"training_file": "file-none"}, "training_file", "invalid_file"),
    "unknown validation file": ({"validation_file": "file-none"}, "validation_file", "invalid_file"),
    "a path for a file": ({"training_file": "../../etc/passwd"}, "training_file", "invalid_file"),
    "zero epochs": ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "invalid_value"),
    "batch as text": ({"hyperparameters": {"batch_size": "big"}}, "hyperparameters.batch_size", "invalid_value"),
    "unknown knob": ({"hyperparameters": {"momentum": 1}}, "hyperparameters.momentum", "unknown_parameter"),
    "unknown field": ({"extra_body": {"tempo": 1}}, "tempo", "unknown_parameter"),
    "long suffix": ({"suffix": "x" * 65}, "suffix", "invalid_value"),
    "too much metadata": ({"metadata": {str(i): "" for i in range(17)}}, "metadata", "invalid_value"),
    "reinforcement": ({"method": {"type": "reinforcement"}}, "method.type", "invalid_value"),
    "dpo on chat rows": ({"method": {"type": "dpo"}}, "training_file", "invalid_file_format"),
    "negative seed": ({"seed": -1}, "seed", "invalid_value"),
}  # fmt: skip


@pytest.mark.parametrize("case", JOBS)
def test_job_that_cannot_be_made_names_the_field(client, train_file, case):
    settings, param, code = JOBS[case]
    with pytest.raises(openai.BadRequestError) as refused:
        client.fine_tuning.jobs.create(**{"model": "embedded-tiny", "training_file": train_file} | settings)
    body = refused.value.body
    assert body["code"] == code
    assert body["param"].startswith(param)
    assert body["type"] == "invalid_request_error"


def test_all_problems_of_a_job_are_told_together(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.fine_tuning.jobs.create(
            model="gpt-9", training_file="file-a", validation_file="file-b",
            hyperparameters={"n_epochs": -1, "batch_size": 0, "x": 1}, suffix="", metadata={"a": SECRET * 60},
        )  # fmt: skip
    message = refused.value.body["message"]
    for name in (
        "n_epochs",
        "batch_size",
        "hyperparameters.x",
        "suffix",
        "metadata.a",
        "gpt-9",
        "file-a",
        "file-b",
    ):
        assert name in message
    assert SECRET not in message


def test_jobs_that_have_ended_stay_ended(client, finished):
    for move in (
        client.fine_tuning.jobs.cancel,
        client.fine_tuning.jobs.pause,
        client.fine_tuning.jobs.resume,
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            move(finished.id)
        assert refused.value.code == "invalid_job_status"
        assert "succeeded" in refused.value.body["message"]


NOT_FOUND = {
    "job": lambda c: c.fine_tuning.jobs.retrieve("ftjob-none"),
    "events": lambda c: c.fine_tuning.jobs.list_events("ftjob-none"),
    "checkpoints": lambda c: c.fine_tuning.jobs.checkpoints.list("ftjob-none"),
    "cancel": lambda c: c.fine_tuning.jobs.cancel("ftjob-none"),
    "file": lambda c: c.files.retrieve("file-none"),
    "content": lambda c: c.files.content("file-none"),
    "delete": lambda c: c.files.delete("file-none"),
    "model": lambda c: c.models.retrieve("none"),
    "chat": lambda c: c.chat.completions.create(model="none", messages=[{"role": "user", "content": "x"}]),
    "route": lambda c: c.embeddings.create(model="embedded-tiny", input="x", encoding_format="float"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_FOUND)
def test_what_is_not_there_is_404_in_openai_s_shape(client, case):
    with pytest.raises(openai.NotFoundError) as refused:
        NOT_FOUND[case](client)
    assert set(refused.value.body) == {"message", "type", "param", "code"}
    assert refused.value.request_id.startswith("req-")


CHATS = {
    "no messages": {"messages": []},
    "bad role": {"messages": [{"role": "wizard", "content": "x"}]},
    "tools": {"tools": [{"type": "function", "function": {"name": "f"}}]},
    "temperature": {"temperature": 3},
    "nothing to draw": {"max_tokens": 0},
    "picture": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
}  # fmt: skip


@pytest.mark.parametrize("case", CHATS)
def test_chat_that_cannot_be_answered_is_refused(client, case):
    asked = {"model": "embedded-tiny", "messages": [{"role": "user", "content": "x"}]} | CHATS[case]
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**asked)


@pytest.mark.parametrize("stream", [False, True])
def test_prompt_beyond_the_context_is_refused(client, stream):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="embedded-tiny", messages=[{"role": "user", "content": "word " * 2000}], stream=stream
        )
    assert refused.value.code == "context_length_exceeded"


def test_web_pages_of_other_origins_are_refused(server):
    for header in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        request = urllib.request.Request(f"{server.base_url}/models", headers=header)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 403
