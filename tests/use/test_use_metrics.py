"""Scores of single answers."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import InputError, TrackerError
from tracker.use.metrics import Example, exact_match, f1, find_metric
from tracker.use.score import stderr


@pytest.mark.parametrize(
    ("answer", "wanted", "score"),
    [("a b", "a b", 1), (" a\n b ", "a b", 1), ("A b", "a b", 0), ("", "", 1), ("a", "", 0)],
)
def test_exact_match(answer, wanted, score):
    assert exact_match(answer, wanted) == score


@pytest.mark.parametrize(
    ("answer", "wanted", "score"),
    [
        ("the cat sat", "The cat sat.", 1),
        ("cat", "the cat sat", 0.5),  # precision 1, recall 1/3
        ("a a", "a", 2 / 3),  # a word counts as often as it stands there
        ("dog", "cat", 0),
        ("", "cat", 0),
        ("!", "?", 1),  # no words in either
    ],
)
def test_f1(answer, wanted, score):
    assert f1(answer, wanted) == pytest.approx(score)


@given(st.text(max_size=30), st.text(max_size=30))
def test_f1_is_symmetric_and_between_0_and_1(a, b):
    assert f1(a, b) == f1(b, a)
    assert 0 <= f1(a, b) <= 1
    assert f1(a, a) == 1


@pytest.mark.parametrize(
    ("pattern", "answer", "wanted", "score"),
    [
        (r"answer: (\w+)", "I think. answer: blue", "answer: blue", 1),
        (r"answer: (\w+)", "answer: red", "answer: blue", 0),
        (r"answer: (\w+)", "blue", "answer: blue", 0),  # nothing found in the answer
        (r"answer: (\w+)", "so answer: blue", " blue ", 1),  # the wanted answer is bare
        (r"\d+", "it is 42.", "42", 1),  # without a group: the whole match
    ],
)
def test_regex(pattern, answer, wanted, score):
    assert find_metric(f"regex:{pattern}").score([Example("p", answer, wanted)]) == [score]


EXAMPLES = [Example("p", "a", "a"), Example("p", "line\nbreak", "é")]


def command(tmp_path, code):
    path = tmp_path / "my_score.py"
    path.write_text(f"import json, sys\nfor line in sys.stdin:\n    e = json.loads(line)\n    {code}\n")
    return find_metric(f"{sys.executable} {path}")


def test_a_command_scores_each_line(tmp_path):
    metric = command(tmp_path, "print(float(e['answer'] == e['wanted']))")
    assert metric.name == "my_score"
    assert metric.score(EXAMPLES) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("sys.exit(3)", "exit code 3"), ("print('good')", "no number"), ("print(1, 2)", "printed 4")],
)
def test_a_command_that_fails_says_how(tmp_path, code, reason):
    with pytest.raises(TrackerError, match=reason):
        command(tmp_path, code).score(EXAMPLES)


@pytest.mark.parametrize("text", ["", "regex:(", "no-such-command --x"])
def test_unknown_metrics_are_refused(text):
    with pytest.raises(InputError):
        find_metric(text)


def test_standard_error():
    assert stderr([1.0]) is None
    assert stderr([0, 1, 0, 1]) == pytest.approx(0.5 * (4 / 3) ** 0.5 / 2)
