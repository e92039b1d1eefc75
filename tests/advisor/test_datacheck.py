"""What the data rules find in single rows made for it, and in rows that are alike."""

import random

import pytest
from datacheck_rows import finding, pairs, sentence, varied

from advisor.datacheck import check
from advisor.datacheck.examples import read_examples

ASKED, SAID = [{"role": "user", "content": "q"}], [{"role": "assistant", "content": "a"}]
MALFORMED = [
    (3, "of type int"),
    ({}, "prompt and completion missing"),
    ({"prompt": "p"}, "completion missing"),
    ({"prompt": 3, "completion": "c"}, "prompt is of type int"),
    ({"prompt": "p", "completion": "  "}, "answer is empty"),
    ({"messages": "hello"}, "messages is of type str"),
    ({"messages": []}, "has no message"),
    (
        {"messages": [{"role": "user", "content": ["q"]}, *SAID]},
        r"content has a part of type str; expected objects",
    ),
    (
        {"input": {"messages": ASKED}, "preferred_output": SAID, "non_preferred_output": SAID},
        "both outputs are the same",
    ),
    ({"messages": [{"role": "user", "content": "hi"}]}, "ends with a user message"),
    ({"messages": [{"role": "king", "content": "hi"}]}, "unknown role"),
    ({"messages": [{"role": "assistant", "content": None}]}, "content is of type NoneType"),
    ({"input": {"messages": []}, "preferred_output": SAID}, "non_preferred_output missing; expected input,"),
    ({"preferred_output": SAID, "non_preferred_output": SAID}, "input missing; expected input,"),
    (
        {"input": "q", "preferred_output": SAID, "non_preferred_output": SAID},
        "input is of type str; expected an",
    ),
    (
        {"input": {"messages": []}, "preferred_output": "a", "non_preferred_output": SAID},
        "preferred_output is of type str; expected a list",
    ),
    (
        {"input": {"messages": ASKED}, "preferred_output": SAID, "non_preferred_output": []},
        "with non_preferred_output ends with a user message",
    ),
]


@pytest.mark.parametrize(("row", "told"), MALFORMED)
def test_a_row_that_cannot_be_trained_on_is_named_with_its_reason(row, told):
    f = finding("FT501", [*varied(2), (7, row, None)])
    assert f.verdict == "fires"
    assert f.evidence["malformed"] == 1
    assert "training line 7" in f.reason
    assert told in f.reason


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "p", "completion": "c"},
        {"prompt": [{"role": "user", "content": "p"}], "completion": [{"role": "assistant", "content": "c"}]},
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "p"},
                {"role": "assistant", "content": "c"},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "p"}]},
                {"role": "assistant", "content": "c"},
            ]
        },
    ],
)
def test_every_shape_that_providers_take_is_read(row):
    [example] = read_examples([(1, row, None)])
    assert (example.prompt, example.answer, example.problem) == ("p", "c", None)


def test_what_could_not_be_decoded_is_passed_on():
    assert "no JSON" in finding("FT501", [(1, None, "no JSON: line 1")]).reason


def test_repeated_rows_are_counted_and_named_whatever_their_case_and_white_space():
    rows = [
        *varied(96),
        *pairs([("Hello  there ", "General"), ("hello there", "general"), ("HELLO THERE", "General")], 97),
    ]
    f = finding("FT502", rows)
    assert f.verdict == "fires"
    assert f.evidence["rows"] == 2
    assert f.evidence["share_repeated"] == pytest.approx(2 / 99, abs=1e-4)
    assert f.evidence["lines"] == [98, 99]
    assert finding("FT502", varied(99)).verdict == "clear"


def test_rows_that_differ_in_a_word_are_nearly_alike_and_no_repetition():
    base = [(sentence(i, 40), sentence(1000 + i, 40)) for i in range(10)]
    rows = pairs([*base, *((p + " extra", a) for p, a in base)])
    assert finding("FT503", rows).evidence["rows"] == 10
    assert finding("FT502", rows).verdict == "clear"


def translated(scene, answer):
    said = (("system", scene), ("user", "Good morning"), ("assistant", answer))
    return {"messages": [{"role": role, "content": text} for role, text in said]}


def test_one_prompt_under_two_instructions_is_two_prompts():
    rows = [
        (1, translated("Translate to French.", "Bonjour"), None),
        (2, translated("To German.", "Guten Morgen"), None),
    ]
    found = {f.rule: f.verdict for f in check(rows, rows[:1]).findings}
    assert found["FT505"] == "clear", "no conflict"
    same = [(n, translated("Answer.", "yes"), None) for n in (1, 2)]
    other = [(1, translated("Answer in English.", "yes"), None)]
    assert finding("FT502", same).evidence["rows"] == 1
    assert finding("FT502", [*same[:1], (2, other[0][1], None)]).evidence["rows"] == 0
    assert finding("FT504", same, other).verdict == "clear"
    assert finding("FT504", same, same[:1]).verdict == "fires"


def test_the_system_message_makes_no_rows_alike():
    rows = [
        (
            i,
            {
                "messages": [
                    {"role": "system", "content": "be kind " * 50},
                    {"role": "user", "content": sentence(i)},
                    {"role": "assistant", "content": sentence(-i % 997)},
                ]
            },
            None,
        )
        for i in range(1, 40)
    ]
    assert finding("FT503", rows).verdict == "clear"


def test_validation_rows_seen_in_training_are_named_by_both_lines():
    train, valid = varied(50), varied(20, seed=5000)
    valid[4] = (5, train[9][1], None)
    f = finding("FT504", train, valid)
    assert f.evidence["share_seen"] == pytest.approx(1 / 20)
    assert f.evidence["word_for_word"] == 1
    assert "5 = 10" in f.reason
    assert finding("FT504", train, varied(20, seed=5000)).verdict == "clear"
    assert finding("FT504", train).verdict == "cannot_tell"


def test_one_prompt_with_two_answers_conflicts():
    rows = [*varied(18), *pairs([("How are you?", "Well."), ("how are you?", "Badly.")], 19)]
    assert finding("FT505", rows).evidence["rows"] == 1
    assert finding("FT505", rows).verdict == "clear", "1 of 20 is at the limit"
    assert finding("FT505", rows[2:]).verdict == "fires"


def test_a_clear_rule_tells_of_the_few_rows_that_its_figures_count():
    conflict = [*varied(60), *pairs([("How are you?", "Well."), ("how are you?", "Badly.")], 61)]
    f = finding("FT505", conflict)
    assert (f.verdict, f.evidence["rows"]) == ("clear", 1)
    assert "1 of 62 training rows answers an earlier row's prompt differently: line 62 = 61" in f.reason
    assert finding("FT505", varied(60)).reason == "prompts have one answer each"
    train, valid = varied(50), varied(150, seed=5000)
    f = finding("FT504", train, [*valid, (151, train[9][1], None)])
    assert (f.verdict, f.evidence["rows"]) == ("clear", 1)
    assert (
        "1 of 151 validation rows is in the training file too, 1 of them word for word: line 151 = 10"
        in f.reason
    )


def test_rows_that_all_give_one_answer_are_told_and_classes_are_not():
    same = pairs([(f"Classify: a{i}", " Yes" if i % 2 else "yes") for i in range(100)])
    f = finding("FT511", same)
    assert (f.verdict, f.evidence["share_of_one_answer"]) == ("fires", 1.0)
    assert f.reason == "all 100 training rows give the same answer, that of line 1"
    nearly = pairs([(f"Classify: a{i}", "no" if i < 9 else "yes") for i in range(100)])
    assert "91 of 100 training rows" in finding("FT511", nearly).reason
    assert finding("FT511", nearly[:90]).verdict == "clear", "81 of 90 is at the limit"
    assert finding("FT511", same[:9]).verdict == "cannot_tell"


def chat(line):
    said = (("user", sentence(line)), ("assistant", sentence(line + 500)))
    return (line, {"messages": [{"role": r, "content": text} for r, text in said]}, None)


def test_a_row_of_another_form_than_most_is_named_for_providers_take_files_of_one():
    rows = [*map(chat, range(1, 21)), *pairs([("a", "b")], 21)]
    report = check(rows, [chat(90), *pairs([("c", "d")], 2)])
    assert not report.trainable
    told = report.findings[0].reason
    assert report.findings[0].evidence["malformed"] == 2
    assert "training line 21: the row is prompt and completion and most training rows are chat" in told
    assert "validation line 2: the row is prompt and completion" in told
    assert check([*varied(20), chat(21)]).findings[0].evidence["malformed"] == 1
    assert check(varied(20), varied(5, seed=99)).trainable
    assert check([(1, {}, None)], varied(5)).findings[0].evidence["malformed"] == 1, (
        "no form is the usual one"
    )


def test_one_fault_of_many_rows_is_told_once_with_what_to_do():
    rows = [(n, {"conversations": []}, None) for n in range(1, 20)] + [(20, {"odd": 1}, None)]
    reason = next(f.reason for f in check(rows).findings if f.rule == "FT501")
    assert "training lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ...: prompt and completion missing" in reason
    assert reason.count("ShareGPT's keys, and `tracker data convert` makes chat rows") == 1
    assert "training line 20: prompt and completion missing" in reason


def test_preferences_are_read_by_their_preferred_answer():
    said = [{"role": "assistant", "content": "good"}]
    row = {
        "input": {"messages": [{"role": "user", "content": "ask"}]},
        "preferred_output": said,
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }
    [example] = read_examples([(1, row, None)])
    assert (example.prompt, example.answer, example.problem, example.form) == (
        "ask",
        "good",
        None,
        "preference",
    )


def test_one_long_row_does_not_make_prompts_alike():
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    prompts = [" ".join("".join(rng.choices(letters, k=6)) for _ in range(12)) for _ in range(200)]
    plain = measured(prompts).compression
    assert measured([*prompts, "the same log line " * 2000]).compression < 1.2 * plain


def test_one_long_row_brings_no_new_words_alone_and_is_told():
    plain = varied(200)
    long = pairs([("asked", " ".join(f"odd{i}" for i in range(60_000)))], start=300)
    new = [check([*plain[:at], *long, *plain[at:]]).measurements.new_words for at in (0, 60, 120, 180)]
    assert max(new) < finding("FT508", plain).evidence["share_new"] + 0.1
    f = finding("FT512", [*plain, *long])
    assert (f.verdict, f.evidence["lines"]) == ("fires", [300])
    assert f.reason.startswith("line 300 of the training file: up to ")
    assert finding("FT512", plain).verdict == "clear"


def measured(prompts):
    rows = [
        (n, {"messages": [{"role": "user", "content": p}, {"role": "assistant", "content": "a"}]}, None)
        for n, p in enumerate(prompts, 1)
    ]
    return check(rows).measurements
