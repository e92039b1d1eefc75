"""What other people's texts may hold, and what is shown of it."""

import pytest

from advisor.tell.visible import visible

KEY = "sk-proj-Ab12Cd34Ef56Gh78"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red \x1b[31m\u202e", r"red \x1b[31m\u202e"),
        (f"a job of {KEY}", "a job of [secret]"),
        ("hf_" + 34 * "a", "[secret]"),
        ("https://ann:pass@host:8/v1", "https://[secret]@host:8/v1"),
        ("s3://b/f.jsonl?v=1&X-Amz-Signature=abc#p", "s3://b/f.jsonl?v=1&X-Amz-Signature=[secret]#p"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.abc.def", "Bearer [secret]"),
    ],
)
def test_what_a_terminal_obeys_and_what_opens_a_door_is_not_shown_as_it_is(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ftjob-abc123abc123abc123abc123",
        32 * "a",  # a run's id
        "hf_train_data_2024_v1.jsonl",
        "task-1234567890123456",
        "ft:gpt-4o-mini-2024-07-18:personal::AbCdEf12",
        "meta-llama/Llama-3.1-8B?revision=main",
    ],
)
def test_names_stay_as_they_are(text):
    assert visible(text) == text
