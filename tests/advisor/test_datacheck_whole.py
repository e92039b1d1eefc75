"""What the data rules say of a file as a whole: noise, variety, size, weak spots; and how text is kept out of what is told."""

import json

import pytest
from datacheck_rows import finding, pairs, sentence, varied

from advisor.datacheck import check, to_record, to_text
from advisor.datacheck.catalogue import CATALOGUE
from advisor.datacheck.losses import ExampleLoss
from advisor.datacheck.rules.ft506_validation_noise import ValidationNoise


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
