"""What a provider quotes never goes on; what tells the user what to change stays."""

from __future__ import annotations

import pytest

from tracker.scrub import MAX_CHARS, scrub

PRIVATE = [
    "Line 3: 'dear diary, today I met Anna' is not valid",
    'Invalid content: "my card number is 4111 1111 1111 1111"',
    "bad value `meet me at noon` in row 7",
    'Unexpected {"role": "user", "content": "dear diary"} on line 2',
    'He said \\"dear diary\\": "dear \\"old\\" diary and more"',
    "Incorrect API key provided: sk-proj-abcdefghijklmnop1234",
    "Authorization: Bearer abc.def.ghi",
    "GET https://user:pass@host/x?key=sekret&b=1 failed",
    "api_key=verysecretvalue rejected",
    "bad credentials eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl given",
    "Access denied for 0123456789abcdef0123456789abcdef here",
]
WORDS = [
    "diary",
    "Anna",
    "4111",
    "noon",
    "abcdefghijklmnop",
    "abc.def",
    "pass@",
    "sekret",
    "verysecretvalue",
    "eyJ",
    "c2lnb",
    "0123456789abcdef",
]


@pytest.mark.parametrize("message", PRIVATE)
def test_private_words_are_gone(message):
    kept = scrub(message)
    assert not [word for word in WORDS if word in kept], kept


@pytest.mark.parametrize("name", ["n_epochs", "gpt-4o-mini", "training_file", "messages[2].content"])
def test_quoted_names_stay(name):
    assert name in scrub(f"Invalid value for '{name}'")


def test_ids_of_azure_stay():
    told = "Job ftjob-0123456789abcdef0123456789abcdef is gone"
    assert scrub(told) == told


def test_apostrophes_are_no_quotes():
    assert scrub("The model doesn't exist and can't be used") == "The model doesn't exist and can't be used"


def test_long_messages_are_cut():
    assert len(scrub("word " * 1000)) == MAX_CHARS


def test_nothing_gives_nothing():
    assert scrub(None) == scrub("") == ""
