"""Scores of single answers."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import InputError, TrackerError
from tracker.use.intervals import bonett_price, of_gain, of_mean, stderr, wilson
from tracker.use.metrics import Example, exact_match, f1, find_metric


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
    return find_metric(f"cmd:{sys.executable} {path}")


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


@pytest.mark.parametrize("text", ["", "regex:(", "cmd:no-such-command --x", "cmd:", "cmd:'", "sort"])
def test_unknown_metrics_are_refused(text):
    with pytest.raises(InputError):
        find_metric(text)


def test_standard_error():
    assert stderr([1.0]) is None
    assert stderr([0, 1, 0, 1]) == pytest.approx(0.5 * (4 / 3) ** 0.5 / 2)


# Newcombe's (1998) worked examples of Wilson's interval, method 3 without continuity correction
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-4)


def test_no_certainty_from_a_few_examples():
    assert of_mean([0.0] * 20) == pytest.approx((0, 0.1611), abs=1e-4)
    low, high = of_gain([0.0] * 20)
    assert low == -high < 0
    assert of_mean([0.5]) is None


def test_right_and_wrong_in_pairs():
    # by hand: up = 9/22, down = 3/22, difference 6/22, variance (12/22 - 36/484) / 22
    half = 1.96 * ((12 / 22 - 36 / 484) / 22) ** 0.5
    assert bonett_price(8, 2, 20) == pytest.approx((6 / 22 - half, 6 / 22 + half))
    assert of_gain([1.0] * 8 + [-1.0] * 2 + [0.0] * 10) == bonett_price(8, 2, 20)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40))
def test_an_interval_holds_its_mean(values):
    low, high = of_mean(values)
    mean = sum(values) / len(values)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1


def test_other_scores_have_the_normal_interval():
    values = [0.2, 0.4, 0.9]
    assert of_mean(values) == pytest.approx((0.5 - 1.96 * stderr(values), 0.5 + 1.96 * stderr(values)))
