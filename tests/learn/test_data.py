"""The shipped data sets: well formed, free of repeats, nothing of validation in training, made again by their scripts."""

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


CALL = re.compile(
    r'(?P<device>\w+)\(room="(?P<room>\w+)", (turn="(?P<turn>on|off)"|\w+=(?P<value>-?\d+))(, at="(?P<at>\d\d:\d\d)")?\)'
)


def test_a_call_follows_from_its_sentence():
    for example in (example for part in both("commands") for example in part):
        sentence, call = (turn["content"] for turn in example["messages"])
        found = CALL.fullmatch(call)
        assert found, call
        assert found["device"] in sentence
        assert found["room"] in sentence
        if found["turn"]:
            assert re.search(rf"\b{found['turn']}\b", sentence)
        else:
            assert re.search(rf"\b{found['value'].lstrip('-')} (percent|degrees|litres)", sentence)
            assert found["value"].startswith("-") == ("below zero" in sentence)
        assert bool(found["at"]) == bool(
            re.search(r"\bat (\d+:|.* (at night|in the \w+(ing|noon)))", sentence)
        )


@pytest.mark.parametrize(
    ("clock", "in_words", "said"),
    [
        ("00:45", True, "at a quarter to one at night"),
        ("12:00", True, "at twelve in the afternoon"),
        ("18:30", True, "at half past six in the evening"),
        ("11:35", True, "at twenty-five to twelve in the morning"),
        ("23:55", True, "at five to twelve in the evening"),
        ("03:05", False, "at 3:05"),
    ],
)
def test_times_are_said_as_people_say_them(clock, in_words, said):
    class Drawn:
        """A random.Random that draws what the case wants: the hour, then the minute in fives."""

        def __init__(self):
            self.left = [int(clock[:2]), int(clock[3:]) // 5]

        def randrange(self, stop):
            return self.left.pop(0)

        def random(self):
            return 0.9 if in_words else 0.1

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
