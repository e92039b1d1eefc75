"""The server beside OpenAI's published description: the same routes, parameters and fields, and what differs by name."""

import json

import pytest
from onprem_server import chat_rows, run_job, upload, wait_for
from published import FACTS, problems

ROUTES = {(r["method"], r["path"]): r for r in json.loads(FACTS.read_text())["routes"]}
# What README.md's table says is not there.
ABSENT = {
    route for route in ROUTES
    if "alpha/graders" in route[1] or "permissions" in route[1]
    or (route[1].startswith("/chat/completions") and route != ("POST", "/chat/completions"))
}  # fmt: skip
# Published parameters that are refused by name, and fields of ours that OpenAI does not publish.
REFUSED = {
    "/chat/completions": {"tools", "tool_choice", "functions", "function_call", "modalities", "audio",
                          "prediction", "web_search_options", "response_format"},
    "/completions": {"suffix"},
}  # fmt: skip
OURS = {"priority", "user_provided_suffix"}


@pytest.fixture(scope="module")
def served(client):
    """The server's own description: route to operation, with the schemas that it refers to."""
    described = client.get("/../openapi.json", cast_to=object)
    schemas = described["components"]["schemas"]
    return {
        (method.upper(), path.removeprefix("/v1")): (operation, schemas)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/v1")
    }


def test_every_published_route_is_served_or_named_as_absent(served):
    assert set(served) == set(ROUTES) - ABSENT


@pytest.mark.parametrize("route", sorted(set(ROUTES) - ABSENT), ids=" ".join)
def test_parameters_and_defaults_are_the_published_ones(served, route):
    parameters = served[route][0].get("parameters", [])
    assert [p["name"] for p in parameters if p["in"] == "path"] == ROUTES[route]["in_path"]
    ours = {p["name"]: p["schema"].get("default") for p in parameters if p["in"] == "query"}
    assert ours == ROUTES[route]["query"]


@pytest.mark.parametrize(
    "route", [r for r in sorted(set(ROUTES) - ABSENT) if ROUTES[r]["body"]], ids=" ".join
)
def test_bodies_take_the_published_fields_and_require_the_same(served, route):
    from onprem.server.completion_schemas import HARMLESS

    operation, schemas = served[route]
    (content,) = operation["requestBody"]["content"].values()
    schema = content["schema"]
    schema = schemas[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
    published, refused = ROUTES[route]["body"], REFUSED.get(route[1], set())
    ours = {name.partition("[")[0] for name in schema["properties"]} - OURS
    assert ours <= set(published)
    assert set(published) - ours - refused <= (HARMLESS if "completions" in route[1] else set())
    assert set(schema["required"]) == {name for name, kind in published.items() if kind.endswith("!")}


def answers(client, finished) -> dict:
    """One whole answer of every route that is served, as parsed JSON."""
    jobs = client.fine_tuning.jobs.with_raw_response
    file_id = upload(client, chat_rows(40))
    made = jobs.create(model="embedded-tiny", training_file=file_id, method={"type": "supervised"})
    job_id = made.parse().id
    told = {"POST /fine_tuning/jobs": made}
    wait_for(client, job_id, lambda job: job.status in ("queued", "running"))
    told |= {f"POST /fine_tuning/jobs/{{fine_tuning_job_id}}/{verb}": getattr(jobs, verb)(job_id)
             for verb in ("pause", "resume", "cancel")}  # fmt: skip
    asked = {"model": "embedded-tiny", "max_tokens": 2, "temperature": 0}
    chat = {**asked, "messages": [{"role": "user", "content": "Hi"}]}
    raw = client.files.with_raw_response
    upload_raw = raw.create(file=("a.jsonl", chat_rows(2)), purpose="fine-tune")
    path = "/fine_tuning/jobs/{fine_tuning_job_id}"
    told |= {
        "GET /fine_tuning/jobs": jobs.list(limit=1),  # the one just made: others have hyperparameters of ours
        f"GET {path}": jobs.retrieve(finished.id),
        f"GET {path}/events": jobs.list_events(finished.id),
        f"GET {path}/checkpoints": client.fine_tuning.jobs.checkpoints.with_raw_response.list(finished.id),
        "GET /files": raw.list(),
        "POST /files": upload_raw,
        "GET /files/{file_id}": raw.retrieve(file_id),
        "DELETE /files/{file_id}": raw.delete(upload_raw.parse().id),
        "GET /models": client.models.with_raw_response.list(),
        "GET /models/{model}": client.models.with_raw_response.retrieve(finished.fine_tuned_model),
        "POST /chat/completions": client.chat.completions.with_raw_response.create(**chat, logprobs=True),
        "POST /completions": client.completions.with_raw_response.create(**asked, prompt="Hi", logprobs=2),
    }
    tuned = run_job(client, file_id, hyperparameters={"n_epochs": 1, "batch_size": 40}).fine_tuned_model
    told["DELETE /models/{model}"] = client.models.with_raw_response.delete(tuned)
    return {tuple(route.split()): answer.http_response.json() for route, answer in told.items()}


def test_answers_have_the_published_fields_and_types(client, finished):
    checked = answers(client, finished)
    for route, answer in checked.items():
        found = [
            p for p in problems(answer, ROUTES[route]["answer"]) if p.split()[0].split(".")[-1] not in OURS
        ]
        departs = [p for p in found if not p.startswith("status is paused, published ")]  # README names it
        assert not departs, f"{' '.join(route)}: {found}"
    left = set(ROUTES) - ABSENT - set(checked)
    assert left == {("GET", "/files/{file_id}/content")}, "whose answer is the file itself"


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
def test_chunks_have_the_published_fields_and_types(client, path):
    published = ROUTES["POST", path]
    fields = published["chunk"] or published["answer"]  # the older route's chunks are its answers
    asked = {
        "model": "embedded-tiny",
        "max_tokens": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if path == "/completions":
        stream = client.completions.create(**asked, prompt="Hi", logprobs=1)
    else:
        stream = client.chat.completions.create(
            **asked, messages=[{"role": "user", "content": "Hi"}], logprobs=True
        )
    for chunk in stream:
        found = problems(chunk.to_dict(), fields)
        # As OpenAI's own streams have it, whatever is published; README names the second.
        assert set(found) <= {
            "usage is null, published object",
            "choices[].finish_reason is null, published string",
        }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"id": "a", "n": 1}, []),
        ({"n": 1}, ["id is missing"]),
        ({"id": 3}, ["id is integer, published string"]),
        ({"id": "a", "n": None}, ["n is null, published number"]),
        ({"id": "a", "more": 1}, ["more is not published"]),
        ({"id": "a", "data": [{"kind": "x"}, {"kind": "z"}, {}]},
         ["data[].kind is z, published x|y", "data[].kind is missing"]),
    ],
)  # fmt: skip
def test_the_comparison_itself_sees_what_is_wrong(answer, expected):
    fields = {"id": "string!", "n": "number", "data": "array", "data[].kind": "string(x|y)!"}
    assert problems(answer, fields) == expected
