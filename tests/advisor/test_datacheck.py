"""What the data rules find in rows made for it."""

import json

import numpy as np
import pytest

from advisor.datacheck import check, to_record, to_text
from advisor.datacheck.catalogue import CATALOGUE
from advisor.datacheck.examples import read_examples
from advisor.datacheck.losses import ExampleLoss
from advisor.datacheck.rules.ft506_validation_noise import ValidationNoise

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "sk", "lm", "")]


def sentence(seed, n=12):
    return " ".join(np.random.default_rng(seed).choice(WORDS, n))


def pairs(texts, start=1):
    return [(i, {"prompt": p, "completion": a}, None) for i, (p, a) in enumerate(texts, start)]


def varied(n, seed=0):
    return pairs([(sentence(seed + 2 * i), sentence(seed + 2 * i + 1)) for i in range(n)])


def finding(rule, train, valid=None, **more):
    return next(f for f in check(train, valid, **more).findings if f.rule == rule)


MALFORMED = [
    (3, "of type int"),
    ({}, "prompt and completion missing"),
    ({"prompt": "p"}, "completion missing"),
    ({"prompt": 3, "completion": "c"}, "prompt is of type int"),
    ({"prompt": "p", "completion": "  "}, "answer is empty"),
    ({"messages": "hello"}, "messages is of type str"),
    ({"messages": []}, "has no message"),
    ({"messages": [{"role": "user", "content": "hi"}]}, "ends with a user message"),
    ({"messages": [{"role": "king", "content": "hi"}]}, "unknown role"),
    ({"messages": [{"role": "assistant", "content": None}]}, "content is of type NoneType"),
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


def test_validation_noise_is_measured_where_losses_are_given_and_else_estimated():
    few, many = varied(30), varied(300)
    spread, limit = ValidationNoise.typical_spread, ValidationNoise.relative_error
    estimated = finding("FT506", few, few)
    assert estimated.verdict == "fires"
    assert estimated.evidence["relative_error"] == pytest.approx(spread / 30**0.5, rel=1e-3)
    assert estimated.evidence["examples_needed"] == pytest.approx((spread / limit) ** 2, abs=2)
    assert finding("FT506", few, many).verdict == "clear"
    steady = [ExampleLoss(i, 2.0 + 0.01 * (-1) ** i, 10) for i in range(30)]
    assert finding("FT506", few, few, losses=steady).verdict == "clear"


def test_prompts_from_a_template_are_alike_and_varied_ones_are_not():
    template = pairs([(f"order {i % 20} apples for customer {i % 7} please", "done") for i in range(400)])
    assert finding("FT507", template).verdict == "fires"
    assert finding("FT507", varied(400)).verdict == "clear"
    assert finding("FT507", varied(10)).verdict == "cannot_tell"


def test_a_prompt_that_stands_in_ten_rows_is_alike_however_short_the_file():
    f = finding("FT507", pairs([("name the animal", f"animal {i}") for i in range(20)]))
    assert f.verdict == "fires"
    assert f.evidence["share_distinct"] == pytest.approx(1 / 20)
    no_prompts = [(i, {"messages": [{"role": "assistant", "content": sentence(i)}]}, None) for i in range(20)]
    assert finding("FT507", no_prompts).verdict == "cannot_tell"


@pytest.mark.parametrize(("rows", "count"), [(varied(1), 1), (varied(49), 49), (pairs([("p", "a")] * 80), 1)])
def test_few_different_rows_are_few(rows, count):
    f = finding("FT510", rows)
    assert (f.verdict, f.evidence["different_rows"]) == ("fires", count)
    assert finding("FT510", varied(50)).verdict == "clear"


def test_new_words_stop_coming_with_more_rows():
    shares = [finding("FT508", varied(n)).evidence["share_new"] for n in (20, 60, 400)]
    assert shares == sorted(shares, reverse=True)
    assert (
        finding("FT508", pairs([(f"word{i} unique{i}", f"other{i}") for i in range(50)])).verdict == "fires"
    )


def test_weak_spots_are_the_lines_of_the_highest_losses():
    losses = [ExampleLoss(i, 1.0 + 0.01 * i, 10) for i in range(1, 40)] + [
        ExampleLoss(77, 9.0, 10),
        ExampleLoss(50, 6.0, 10),
    ]
    f = finding("FT509", varied(5), losses=losses)
    assert f.verdict == "fires"
    assert f.evidence["lines"] == [77, 50]
    total = sum(e.loss * 10 for e in losses)
    assert f.evidence["loss_carried"] == pytest.approx(150 / total, rel=1e-3)
    assert finding("FT509", varied(5)).verdict == "cannot_tell"


@pytest.mark.parametrize("rows", [[], [(1, {"prompt": "p", "completion": "c"}, None)], [(1, None, "bad")]])
def test_no_rule_fails_on_next_to_nothing(rows):
    report = check(rows, rows, losses=[])
    assert len(report.findings) == len(CATALOGUE)
    assert to_text(report)


def test_no_finding_quotes_a_row():
    secret = "my secret text"
    bad = [
        {"prompt": secret}, {secret: 1}, secret, {"messages": [{"role": secret, "content": secret}]},
        {"messages": [{"role": "user", "content": secret}]}, {"prompt": [secret], "completion": secret},
    ]  # fmt: skip
    report = check([(i, row, None) for i, row in enumerate(bad, 1)])
    assert report.findings[0].evidence["malformed"] == len(bad)
    assert secret not in to_text(report) + json.dumps(to_record(report))


def test_the_record_holds_text_only_when_asked():
    rows = [*varied(20), *pairs([("secret words here", "and here")] * 3, 21)]
    report = check(rows, rows)
    assert "secret" not in json.dumps(to_record(report))
    assert "secret" not in to_text(report)
    assert "secret" in json.dumps(to_record(report, show_text=True))
    assert "secret words here" in to_text(report, show_text=True)


def test_text_is_shown_of_every_row_named_and_of_the_row_that_it_is_like():
    train = [*varied(20), (21, None, "is no JSON", b"{broken \x1b[31m\xff"), (22, {"prompt": "lonely"}, None)]
    valid = [*varied(5, seed=9000), (6, train[3][1], None)]
    shown = to_record(check(train, valid), show_text=True)["texts"]
    assert [(r["file"], r["line"], r["text"][:7]) for r in shown["FT501"]] == [
        ("training", 21, "{broken"),
        ("training", 22, '{"promp'),
    ]
    [leak] = shown["FT504"]
    assert (leak["file"], leak["line"]) == ("validation", 6)
    assert leak["like"] == {"file": "training", "line": 4, "text": leak["text"]}
    text = to_text(check(train, valid), show_text=True)
    assert "\x1b" not in text, "a terminal would obey it"
    assert "as training 4" in text
