"""Splits that leak nothing, come out the same each time, and keep every line."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.data.split import GROUPINGS, group_of, split_file
from tracker.errors import InputError

SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}


def row(*turns):
    roles = ["user", "assistant"] * len(turns)
    return {"messages": [{"role": r, "content": t} for r, t in zip(roles, turns, strict=False)]}


def write(path, rows):
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def read(parts):
    return {
        part.name: [json.loads(line) for line in Path(part.path).read_text().splitlines()] for part in parts
    }


def openings(rows):
    """The slow, obvious way to say what a row asks first."""
    return {r["messages"][0]["content"] for r in rows}


def test_parts_have_their_shares(tmp_path):
    path = write(tmp_path / "all.jsonl", [row(f"question {i}", f"answer {i}") for i in range(1000)])
    parts = split_file(path, tmp_path, SHARES)
    assert [part.n_examples for part in parts] == [800, 100, 100]


def test_same_seed_same_split_other_seed_other_split(tmp_path):
    path = write(tmp_path / "all.jsonl", [row(f"question {i}", "a") for i in range(100)])
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        digests.append([part.sha256 for part in split_file(path, tmp_path / name, SHARES, seed=seed)])
    assert digests[0] == digests[1] != digests[2]


def test_order_of_lines_does_not_matter(tmp_path):
    rows = [row(f"question {i % 60}", f"answer {i}") for i in range(100)]
    found = []
    for name, lines in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).mkdir()
        parts = read(split_file(write(tmp_path / f"{name}.jsonl", lines), tmp_path / name, SHARES))
        found.append({part: Counter(map(json.dumps, lines)) for part, lines in parts.items()})
    assert found[0] == found[1]


def test_longer_and_shorter_forms_of_a_conversation_stay_together(tmp_path):
    rows = [r for i in range(50) for r in (row(f"hi {i}", "yes?"), row(f"hi {i}", "yes?", "more", "no"))]
    parts = read(split_file(write(tmp_path / "all.jsonl", rows), tmp_path, SHARES))
    assert not openings(parts["train"]) & (openings(parts["valid"]) | openings(parts["test"]))


def test_whole_prompts_where_all_conversations_open_alike(tmp_path):
    rows = [row("Hello", "How can I help?", f"question {i}", "a") for i in range(50)]
    path = write(tmp_path / "all.jsonl", rows)
    with pytest.raises(InputError, match="--by prompt"):
        split_file(path, tmp_path, SHARES)
    assert [part.n_examples for part in split_file(path, tmp_path, SHARES, by="prompt")] == [40, 5, 5]


TEXTS = st.sampled_from(["a", "A", "a ", "a?", "b", "c", "d", "e", "f", "?", "!"]) | st.text(
    min_size=1, max_size=3
).filter(lambda text: text.strip() and not any("\ud800" <= c <= "\udfff" for c in text))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.lists(TEXTS, min_size=2, max_size=4).filter(lambda turns: len(turns) % 2 == 0),
        min_size=3,
        max_size=40,
    ),
    st.sampled_from(GROUPINGS),
    st.integers(0, 5),
    st.sampled_from([{"train": 0.9, "valid": 0.1}, SHARES, {"train": 0.4, "valid": 0.3, "test": 0.3}]),
)
def test_no_leak_nothing_lost_no_part_empty(conversations, by, seed, shares):
    rows = [row(*turns) for turns in conversations]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "all.jsonl", rows)
        if len({group_of(r, by) for r in rows}) < len(shares):
            with pytest.raises(InputError, match="different"):
                split_file(path, folder, shares, seed=seed, by=by)
            return
        parts = read(split_file(path, folder, shares, seed=seed, by=by))
    assert sorted(json.dumps(r) for part in parts.values() for r in part) == sorted(map(json.dumps, rows))
    assert all(parts.values())
    prompts = [{json.dumps(r["messages"][:-1]).casefold() for r in part} for part in parts.values()]
    assert sum(map(len, prompts)) == len(set().union(*prompts))
    if by == "opening":
        first = [openings(part) for part in parts.values()]
        assert sum(map(len, first)) == len(set().union(*first))


def test_a_heavy_group_costs_accuracy_and_no_part(tmp_path):
    rows = [row("the same", f"answer {i}") for i in range(90)] + [row(f"q {i}", "a") for i in range(10)]
    parts = split_file(write(tmp_path / "all.jsonl", rows), tmp_path, {"train": 0.9, "valid": 0.1})
    assert min(part.n_examples for part in parts) >= 1
    assert sum(part.n_examples for part in parts) == 100


def test_lines_are_copied_byte_by_byte(tmp_path):
    lines = [f'{{"prompt":  "q{i}",\t"completion":"\\u00e9 é"}}'.encode() for i in range(20)]
    path = tmp_path / "all.jsonl"
    path.write_bytes(b"\r\n".join(lines))
    parts = split_file(path, tmp_path, {"train": 0.5, "valid": 0.5})
    assert sorted(b for part in parts for b in Path(part.path).read_bytes().splitlines()) == sorted(lines)


def test_every_problem_of_a_request_at_once(tmp_path):
    path = write(tmp_path / "all.jsonl", [row("a", "b")])
    (tmp_path / "train.jsonl").write_text("precious")
    with pytest.raises(InputError) as caught:
        split_file(path, tmp_path, {"train": 0.5, "valid": 1.5}, by="mood")
    text = str(caught.value)
    assert all(word in text for word in ("valid is 1.5", "sum to 2", "by is 'mood'", "train.jsonl exists"))
    assert (tmp_path / "train.jsonl").read_text() == "precious"


def test_bad_lines_are_named(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\nbroken\n')
    with pytest.raises(InputError, match="line 2: is no JSON"):
        split_file(path, tmp_path, {"train": 0.5, "valid": 0.5})
