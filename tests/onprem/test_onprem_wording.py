"""Wrong bodies are told in our own words: the field, what was expected, all of one request together."""

import json
import urllib.error
import urllib.request

import pytest

# A body, and what is said of it: the field, and what was expected; one sentence a field.
WORDS = {
    "a list for a body": ("jobs", [], "Invalid request body: expected an object, not a list."),
    "null for a body": ("jobs", None, "Invalid request body: expected an object, not null."),
    "one of two forms": ("jobs", {"hyperparameters": {"batch_size": "big"}},
                         "'hyperparameters.batch_size': expected 'auto' or an integer, not a string"),
    "out of bounds": ("jobs", {"hyperparameters": {"n_epochs": 51}}, "expected 'auto' or a number of at most 50"),
    "empty suffix": ("jobs", {"suffix": ""}, "'suffix': expected a string of at least 1 characters"),
    "a truth for a number": ("jobs", {"seed": True}, "'seed': expected an integer, not a boolean"),
    "two rates": ("jobs", {"hyperparameters": {"learning_rate": 1, "learning_rate_multiplier": 1}},
                  "learning_rate and learning_rate_multiplier exclude each other"),
    "reinforcement": ("jobs", {"method": {"type": "reinforcement"}}, "does not do reinforcement fine-tuning"),
    "within a list": ("chat", {"messages": [{"role": "user", "content": "a"}, {"role": "user"}]},
                      "Missing required parameter: 'messages[1].content'"),
    "a part of a message": ("chat", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
                            "'messages[0].content[0].type': expected 'text'"),
    "not a number": ("chat", {"temperature": "warm"}, "'temperature': expected a number, not a string"),
    "too many stops": ("chat", {"stop": list("abcde")}, "'stop': expected a string or a list of at most 4"),
    "not offered": ("chat", {"tools": [{}], "audio": {}}, "Unknown or unsupported parameter: 'tools'; Unknown"),
    "too many prompts": ("complete", {"prompt": ["a"] * 129}, "Invalid value for 'prompt': expected at most 128 prompts."),
    "too many keys": ("jobs", {"metadata": {str(i): "" for i in range(17)}}, "expected an object of at most 16 keys"),
    "mixed prompts": ("complete", {"prompt": ["a", 1]}, "'prompt[1]': expected a string or a list, not a number"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_wrong_bodies_are_told_in_our_words(client, case):
    where, wrong, expected = WORDS[case]
    paths = {"jobs": "/fine_tuning/jobs", "chat": "/chat/completions", "complete": "/completions"}
    good = {"jobs": {"model": "embedded-tiny", "training_file": "file-x"},
            "chat": {"model": "embedded-tiny", "messages": [{"role": "user", "content": "a"}]},
            "complete": {"model": "embedded-tiny", "prompt": "a"}}  # fmt: skip
    body = json.dumps(good[where] | wrong if isinstance(wrong, dict) else wrong).encode()
    request = urllib.request.Request(client.base_url.join(f".{paths[where]}").__str__(), data=body)
    request.add_header("Content-Type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    message = json.load(refused.value)["error"]["message"]
    assert expected in message
    assert "Input should" not in message, "pydantic's own words"


METHOD = {"type": "supervised", "supervised": {"hyperparameters": {"lora": False, "lora_r": 8}}}


@pytest.mark.parametrize(
    ("schema", "body", "param", "texts"),
    [
        ("JobCreate", {"hyperparameters": {"lora": False, "lora_r": 8, "learning_rate": 1, "learning_rate_multiplier": 1}},
         "hyperparameters.learning_rate", ("exclude each other", "lora is false")),
        ("JobCreate", {"method": METHOD}, "method.supervised.hyperparameters.lora_r", ("lora is false",)),
        ("JobCreate", {"method": {"type": "reinforcement"}}, "method.type", ("reinforcement",)),
        ("JobCreate", {"method": {"type": "dpo", "supervised": {}}}, "method.supervised", ("was given",)),
        ("JobCreate", {"method": {"type": "dpo"}, "hyperparameters": {}}, "hyperparameters", ("exclude each other",)),
        ("TextCreate", {"logit_bias": {"a": 1}}, "logit_bias", ("token ids",)),
        ("TextCreate", {"best_of": 2}, "best_of", ("leave best_of out",)),
    ],
)  # fmt: skip
def test_contradictions_are_told_together_under_the_fields_whole_name(schema, body, param, texts):
    from pydantic import ValidationError

    from onprem.server import completion_schemas, schemas
    from onprem.server.wording import problems_of

    body = (
        {"model": "m", "training_file": "f"} | body
        if schema == "JobCreate"
        else {"model": "m", "prompt": "a"} | body
    )
    with pytest.raises(ValidationError) as refused:
        getattr(schemas if schema == "JobCreate" else completion_schemas, schema).model_validate(body)
    ((told, text, _),) = problems_of(
        [{**e, "loc": ("body", *e["loc"])} for e in refused.value.errors()], body
    )
    assert told == param
    assert all(each in text for each in texts)


def test_every_finding_that_a_body_can_meet_has_words():
    """Whatever hypothesis sends, no field is told to be `another value`."""
    from hypothesis import given, settings
    from hypothesis import strategies as st
    from pydantic import ValidationError

    from onprem.server.completion_schemas import ChatCreate, TextCreate
    from onprem.server.schemas import JobCreate
    from onprem.server.wording import problems_of

    things = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )

    schemas = (ChatCreate, TextCreate, JobCreate)
    names = st.sampled_from(sorted({name for schema in schemas for name in schema.model_fields}))

    @given(schema=st.sampled_from(schemas), body=st.dictionaries(names, things) | things)
    @settings(max_examples=600, deadline=None, database=None)
    def told(schema, body):
        try:
            schema.model_validate(body)
        except ValidationError as error:
            found = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
            for _, text, _ in problems_of(found, body):
                assert "another value" not in text, found

    told()
