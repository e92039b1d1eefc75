"""Every form of training data, as chat."""

from __future__ import annotations

import json

import pytest

from tracker.data import anyrows
from tracker.data.anyrows import any_rows
from tracker.data.convert import convert_file
from tracker.errors import InputError

CHAT = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
FORMS = {
    "chat": ({"messages": CHAT}, CHAT),
    "completion": ({"prompt": "Q", "completion": " A"}, CHAT),
    "question": ({"question": "Q", "answer": "A"}, CHAT),
    "sharegpt": ({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}, CHAT),
    "sharegpt, role": (
        {"conversation": [{"role": "User", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        CHAT,
    ),
    "sharegpt, system": (
        {"system": "S", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        [{"role": "system", "content": "S"}, *CHAT],
    ),
    "alpaca": ({"instruction": "Q", "input": "", "output": "A"}, CHAT),
    "alpaca, input": (
        {"instruction": "Q", "input": "I", "output": "A"},
        [{"role": "user", "content": "Q\n\nI"}, CHAT[1]],
    ),
    "alpaca, history": (
        {"instruction": "Q", "output": "A", "history": [["Q0", "A0"]], "system": "S"},
        [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "Q0"},
            {"role": "assistant", "content": "A0"},
            *CHAT,
        ],
    ),
    "hh": (
        {
            "chosen": "\n\nHuman: Q\n\nAssistant: A\n\nHuman: Q2\n\n(in two\n\nparts)\n\nAssistant: A2",
            "rejected": "x",
        },
        [
            *CHAT,
            {"role": "user", "content": "Q2\n\n(in two\n\nparts)"},
            {"role": "assistant", "content": "A2"},
        ],
    ),
    "hh, prompt apart": ({"prompt": "\n\nHuman: Q\n\nAssistant:", "chosen": " A", "rejected": "x"}, CHAT),
    "hh, messages": ({"chosen": CHAT, "rejected": []}, CHAT),
}


def converted(folder, text, name="in.jsonl", **options):
    source = folder / name
    source.write_text(text, encoding="utf-8")
    convert_file(source, folder / "out.jsonl", **options)
    return [json.loads(line)["messages"] for line in (folder / "out.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("row", "messages"), FORMS.values(), ids=FORMS)
class TestForms:
    def test_as_lines(self, tmp_path, row, messages):
        assert converted(tmp_path, json.dumps(row) + "\n") == [messages]

    def test_as_a_list(self, tmp_path, row, messages):
        assert converted(tmp_path, json.dumps([row, row], indent=2), "in.json") == [messages, messages]


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv(tmp_path, separator):
    text = separator.join(["prompt", "completion"]) + "\n" + separator.join(['"Q"', '"A"']) + "\n"
    assert converted(tmp_path, text, "in.csv") == [CHAT]


def test_csv_text_over_several_lines(tmp_path):
    [messages] = converted(tmp_path, 'question,answer\n"one\ntwo",A\n', "in.csv")
    assert messages[0]["content"] == "one\ntwo"


def test_tools_are_kept(tmp_path):
    row = {"messages": CHAT, "tools": [{"type": "function"}]}
    (tmp_path / "in.jsonl").write_text(json.dumps(row))
    convert_file(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == row


BAD = [
    {"conversations": [{"from": "SECRET", "value": "x"}]},
    {"instruction": "Q", "output": 5},
    {"chosen": "SECRET words without turns"},
    {"SECRET": 1},
    {"prompt": "SECRET", "completion": ""},
    [1],
]


def test_all_bad_rows_are_named_and_nothing_is_written(tmp_path):
    lines = [json.dumps(row) for row in [{"prompt": "Q", "completion": "A"}, *BAD]]
    with pytest.raises(InputError) as caught:
        converted(tmp_path, "\n".join(lines))
    for number in range(2, 8):
        assert f"line {number}: " in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl"]


def test_bad_rows_can_be_left_out(tmp_path):
    lines = [json.dumps(row) for row in [*BAD, {"prompt": "Q", "completion": "A"}]]
    assert converted(tmp_path, "\n".join(lines), skip_bad=True) == [CHAT]


def test_nothing_left_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no row that can be converted"):
        converted(tmp_path, json.dumps(BAD[0]), skip_bad=True)


def test_a_target_that_exists_is_kept(tmp_path):
    (tmp_path / "out.jsonl").write_text("precious")
    with pytest.raises(InputError, match="exists"):
        converted(tmp_path, json.dumps({"prompt": "Q", "completion": "A"}))
    assert (tmp_path / "out.jsonl").read_text() == "precious"
    assert converted(tmp_path, json.dumps({"prompt": "Q", "completion": "A"}), force=True) == [CHAT]


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_a_list_is_read_piece_by_piece(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(anyrows, "CHUNK", chunk)
    values = [{"a": "x" * n, "n": n, "nested": [{"b": "]},"}]} for n in range(30)]
    path = tmp_path / "in.json"
    path.write_text("[ " + " ,\n".join(json.dumps(v) for v in values) + "\n]\n")
    assert [row.value for row in any_rows(path)] == values


@pytest.mark.parametrize("cut", [5, 20, 35])
def test_a_list_that_breaks_off_says_where(tmp_path, cut):
    path = tmp_path / "in.json"
    path.write_text(json.dumps([{"a": "xxxxxxxx"}, {"a": "yyyyyyyyy"}])[:cut])
    with pytest.raises(InputError, match="breaks off in element"):
        list(any_rows(path))
