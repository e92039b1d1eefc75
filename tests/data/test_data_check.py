"""The check before an upload: each bad line by its number, with a reason that gives nothing away."""

from __future__ import annotations

import hashlib
import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracker.data import check_file, rows
from tracker.data import jsonl as jsonl_module
from tracker.data.check import MAX_LISTED
from tracker.errors import InputError

SECRET = "Müller owes 4711"


def chat(*turns, **extra):
    return {"messages": [{"role": role, "content": content} for role, content in turns], **extra}


GOOD = chat(("user", SECRET), ("assistant", SECRET))


def write(path, *lines):
    text = [
        line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines
    ]
    path.write_bytes(b"\n".join(text) + b"\n")
    return path


BAD_CHAT = {
    "no JSON": (b'{"messages": [' + SECRET.encode(), "is no JSON"),
    "no UTF-8": (b'{"messages": "\xff"}', "is not UTF-8 at byte 15"),
    "list": ([1], "is a JSON list; expected an object"),
    "number": (b"12", "is a JSON number"),
    "other keys": ({SECRET: 1}, "has no key messages"),
    "no list": ({"messages": SECRET}, "messages is no list"),
    "empty": ({"messages": []}, "messages is no list of messages, or empty"),
    "message is text": ({"messages": [SECRET]}, "messages[0] is no object"),
    "role": (chat((SECRET, "x")), "messages[0].role is missing or none of"),
    "content number": (chat(("user", 5), ("assistant", "a")), "messages[0].content is no text"),
    "content empty": (chat(("user", "a"), ("assistant", " ")), "messages[1].content is empty"),
    "no answer": (chat(("user", SECRET)), "does not end with an assistant message"),
    "surrogate": (b'{"messages": [{"role": "user", "content": "\\ud83d"}]}', "half of a surrogate pair"),
    "weight": (
        {"messages": [{"role": "assistant", "content": "a", "weight": 2}]},
        "weight is neither 0 nor 1",
    ),
    "all weights 0": ({"messages": [{"role": "assistant", "content": "a", "weight": 0}]}, "nothing to learn"),
    "parts": ({"messages": [{"role": "assistant", "content": [SECRET]}]}, "not of parts with a type"),
    "deep": (b"[" * 100_000, "is no JSON"),
}


@pytest.mark.parametrize(("line", "reason"), BAD_CHAT.values(), ids=BAD_CHAT)
def test_bad_line_is_named_and_not_quoted(tmp_path, line, reason):
    report = check_file(write(tmp_path / "train.jsonl", GOOD, line, GOOD))
    assert [error.line for error in report.errors] == [2]
    assert reason in report.errors[0].reason
    assert (report.n_examples, report.n_bad_lines, report.ok) == (2, 1, False)
    assert "Müller" not in "".join(report.problems)
    assert "4711" not in "".join(report.problems)


GOOD_ROWS = {
    "chat": chat(("system", "s"), ("user", "u"), ("assistant", "a")),
    "tool call": {
        "messages": [
            {"role": "user", "content": "u"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]},
        ]
    },
    "parts": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "u"}, {"type": "image_url", "image_url": {}}],
            },
            {"role": "assistant", "content": "a", "weight": 1},
        ]
    },
    "completion": {"prompt": "", "completion": "c"},
    "preference": {
        "input": {"messages": [{"role": "user", "content": "u"}]},
        "preferred_output": [{"role": "assistant", "content": "a"}],
        "non_preferred_output": [{"role": "assistant", "content": "b"}],
    },
}


@pytest.mark.parametrize("row", GOOD_ROWS.values(), ids=GOOD_ROWS)
def test_good_rows_pass(tmp_path, row):
    report = check_file(write(tmp_path / "train.jsonl", *[row] * 10))
    assert report.problems == report.warnings == []
    assert (report.ok, report.n_examples) == (True, 10)
    assert report.tokens > 0


def test_all_bad_lines_come_together(tmp_path):
    report = check_file(
        write(tmp_path / "t.jsonl", GOOD, {"prompt": "p", "completion": "c"}, GOOD, b"", chat(), GOOD)
    )
    assert [(error.line, error.reason.split(";")[0]) for error in report.errors] == [
        (2, "has no key messages"),
        (4, "is blank"),
        (5, "messages is no list of messages, or empty"),
    ]


def test_blank_lines_at_the_end_do_no_harm(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n \n")
    assert check_file(path).problems == []


def test_byte_order_mark_is_named(tmp_path):
    report = check_file(write(tmp_path / "t.jsonl", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), GOOD))
    assert report.errors[0].line == 1
    assert "byte order mark" in report.errors[0].reason


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_empty_file(tmp_path, content):
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    report = check_file(path)
    assert not report.ok
    assert "is empty" in report.problems[0]


def test_digest_and_size_are_the_files(tmp_path):
    path = write(tmp_path / "t.jsonl", GOOD, b"broken", GOOD)
    report = check_file(path)
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert report.size == path.stat().st_size


def test_few_examples_are_a_warning(tmp_path):
    report = check_file(write(tmp_path / "t.jsonl", GOOD))
    assert report.ok
    assert "1 examples" in report.warnings[0]


def test_wrong_kind_is_an_error_on_each_line(tmp_path):
    report = check_file(write(tmp_path / "t.jsonl", GOOD, GOOD), kind="completion")
    assert [error.line for error in report.errors] == [1, 2]


def test_unknown_kind_and_missing_file(tmp_path):
    with pytest.raises(InputError, match="kind is 'chatty'"):
        check_file(tmp_path / "t.jsonl", kind="chatty")
    with pytest.raises(InputError, match="cannot be read"):
        check_file(tmp_path / "t.jsonl")


def test_endless_line_is_refused_and_the_next_one_read(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl_module, "MAX_LINE", 200)
    report = check_file(write(tmp_path / "t.jsonl", chat(("user", "u" * 900), ("assistant", "a")), GOOD))
    assert [error.line for error in report.errors] == [1]
    assert (report.n_examples, "longer than" in report.errors[0].reason) == (1, True)


def test_a_large_bad_file_takes_constant_memory(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"wrong": "' + b"x" * 1000 + b'"}\n')
    line = path.read_bytes()
    peaks = []
    for n in (1_500, 6_000):
        path.write_bytes(line * n)
        tracemalloc.start()
        report = check_file(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.n_bad_lines == n
    assert len(report.errors) == MAX_LISTED
    assert report.problems[-1].endswith("5000 further bad lines are not listed.")
    assert peaks[1] < 1.5 * peaks[0]  # the listed errors are the same in both; nothing else may grow


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_give_a_report_that_counts_every_line(tmp_path, data):
    path = tmp_path / "t.jsonl"
    path.write_bytes(data)
    report = check_file(path)
    assert report.n_examples + report.n_bad_lines == sum(1 for _ in rows(path))


KEYS = "messages role content weight prompt completion input preferred_output non_preferred_output tool_calls type text"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS.split()), inner | st.sampled_from(["user", "assistant", "system"])
        )
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JSON, max_size=4))
def test_any_json_gives_a_report(tmp_path, values):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    report = check_file(path)
    assert report.n_examples + report.n_bad_lines == len(values)
