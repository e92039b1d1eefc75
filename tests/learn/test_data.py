"""The shipped data sets: well formed, free of repeats, nothing of validation in training, made again by their scripts."""

import json
import re

import pytest

from experiments.data import make_chat, make_commands
from experiments.data.rows import HERE, likeness, prompt_of, read, row, without_near_duplicates, write

NAMES = ("chat", "commands")


def both(name):
    return read(HERE / name / "train.jsonl"), read(HERE / name / "valid.jsonl")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_a_chat_that_ends_with_the_assistant(name):
    for example in (example for part in both(name) for example in part):
        turns = example["messages"]
        assert [t["role"] for t in turns] == ["user", "assistant"] * (len(turns) // 2)
        assert all(t["content"].strip() for t in turns)


@pytest.mark.parametrize(("name", "train", "valid"), [("chat", 400, 100), ("commands", 200, 100)])
def test_sizes(name, train, valid):
    rows = both(name)
    assert train <= len(rows[0]) < 2 * train
    assert valid <= len(rows[1]) < 2 * valid


@pytest.mark.parametrize("name", NAMES)
def test_no_prompt_comes_twice_within_or_across_the_files(name):
    train, valid = both(name)
    prompts = [prompt_of(example) for example in train + valid]
    assert len(set(prompts)) == len(prompts)


def test_chat_has_no_near_duplicates_within_or_across_the_files():
    train, valid = both("chat")
    assert len(without_near_duplicates(train + valid, make_chat.LIKE)) == len(train) + len(valid)


def test_no_call_of_the_validation_commands_is_in_the_training_set():
    train, valid = ({e["messages"][1]["content"] for e in part} for part in both("commands"))
    assert not train & valid


def test_a_call_follows_from_its_sentence():
    for example in (example for part in both("commands") for example in part):
        sentence, call = (turn["content"] for turn in example["messages"])
        call = json.loads(call)
        assert call["device"] in sentence
        assert call["room"] in sentence
        assert ("set" in call) != ("turn" in call)
        for value in call.get("set", {}).values():
            assert re.search(rf"\b{abs(value)} (percent|degrees|litres)", sentence)
            assert (value < 0) == ("below zero" in sentence)
        assert ("at" in call) == bool(re.search(r"\bat (\d+:|a quarter|half|[a-z]+ (at|in the))", sentence))


@pytest.mark.parametrize(
    ("said", "clock"),
    [
        ("at a quarter to one at night", "00:45"),
        ("at twelve in the afternoon", "12:00"),
        ("at half past six in the evening", "18:30"),
        ("at a quarter to twelve in the evening", "23:45"),
        ("at 3:30", "03:30"),
    ],
)
def test_times_are_said_as_people_say_them(said, clock):
    hour, minute = int(clock[:2]), int(clock[3:])

    class Drawn:  # a random.Random that draws what the case wants
        def randrange(self, stop):
            return hour

        def choice(self, options):
            return minute

        def random(self):
            return 0.0 if re.search(r"\d", said) else 0.9

    assert make_commands._time(Drawn()) == (said, clock)


def test_the_script_makes_the_shipped_commands_again(tmp_path, monkeypatch):
    monkeypatch.setattr(make_commands, "write", lambda *a: write(*a, folder=tmp_path))
    make_commands.main()
    for file in ("train.jsonl", "valid.jsonl"):
        assert (tmp_path / "commands" / file).read_bytes() == (HERE / "commands" / file).read_bytes()


def test_the_script_makes_the_shipped_chat_again():
    pytest.importorskip("chatterbot_corpus", reason="pip install chatterbot-corpus==1.3.3 makes chat again")
    train, valid = both("chat")
    assert sorted(map(str, make_chat.examples())) == sorted(map(str, train + valid))


def test_likeness_of_equals_and_strangers():
    assert likeness("what is ai", "what is ai") == 1
    assert likeness("abc", "xyz") == 0
    # "  ab ": 3 triples; "  abc ": 4; shared: "  a", " ab"
    assert likeness("ab", "abc") == pytest.approx(2 / 5)


def test_the_first_of_near_duplicates_is_kept():
    rows = [row("What is AI?", "a"), row("what is ai", "b"), row("Tell me a story", "c")]
    assert without_near_duplicates(rows, 0.7) == [rows[0], rows[2]]
