"""The pretraining script: private messages stay out, a seed gives the same weights, a few steps already learn."""

import math

import pytest

pytest.importorskip("torch")

import torch

from onprem.pretrain import corpus, export, tokenizer, train

KNOWN = {"utah": 50, "provo": 3}
CHATS = [
    [
        {"role": "user", "content": f"How many apples are in basket {i}?"},
        {"role": "assistant", "content": f"There are {i} apples in it."},
    ]
    for i in range(60)
]
PLAN = train.Plan(
    steps=12, batch=2, block=32, hidden=32, layers=1, heads=2, inner=64, warmup=2, report_every=4
)


@pytest.fixture(scope="module")
def tok():
    return tokenizer.train(CHATS, vocabulary=300)


def learn(tok, plan=PLAN):
    rows = [train.tokens_of(part, tok) for part in train.split(CHATS, plan.seed, held_out=0.2)]
    return train.pretrain(plan, *rows, train.new_model(plan, tok), tell=lambda line: None)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("I live in Utah now", False),
        ("I live in Provo now", True),  # written by 3 people: may be anybody's name
        ("Provo is fine", False),  # a first word is capitalised whatever it is
        ("mail me at a@b.org", True),
        ("see www.example.org", True),
        ("call 555-1234", True),
        ("it cost 12345 dollars", True),
        ("in 1999 I was 12", False),
        ("my name is secret", True),
    ],
)
def test_private_messages_are_told(text, private):
    counts = dict.fromkeys("abcdefghijklmnopqrstuvwxyz", 0) | KNOWN
    assert corpus._is_private(text, counts) is private


def test_a_chat_is_cut_at_a_private_message():
    turns = [[{"text": t}] for t in ("hi", "hello", "mail a@b.org", "ok", "so", "bye")]
    assert list(corpus._clean_pieces(turns, {})) == [["hi", "hello"], ["ok", "so", "bye"]]


def test_messages_of_one_turn_are_joined_and_single_turns_dropped():
    turns = [[{"text": "hi "}, {"text": " there"}], [{"text": "yo"}], [{"text": "x@y"}], [{"text": "alone"}]]
    assert list(corpus._clean_pieces(turns, {})) == [["hi there", "yo"]]


def test_a_package_that_is_missing_says_how_to_get_it():
    with pytest.raises(FileNotFoundError, match="pip install"):
        corpus.package_file("no_such_package_here", "x")


def test_a_seed_gives_the_same_weights_again_and_another_seed_others(tok):
    first, again, other = learn(tok), learn(tok), learn(tok, train.Plan(**{**vars(PLAN), "seed": 1}))
    same = [
        torch.equal(a, b) for a, b in zip(first.model.parameters(), again.model.parameters(), strict=True)
    ]
    assert all(same)
    assert first.history == again.history != other.history


def test_a_few_steps_learn(tok):
    result = learn(tok)
    assert result.valid_loss < 0.9 * math.log(len(tok))
    assert result.tokens == 12 * 2 * 32
    assert [step for step, _ in result.history] == [4, 8, 12]


def test_the_export_opens_again_and_its_card_is_filled(tok, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    result = learn(tok)
    export.export(result, PLAN, tok, CHATS[:5], tmp_path / "model")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert all(torch.equal(a, b) for a, b in zip(result.model.parameters(), loaded.parameters(), strict=True))
    again = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert again.chat_template == tok.chat_template
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert f"{result.valid_loss:.3f}" in card
    assert "{plan" not in card
    assert "{% generation %}" in card


def test_bits_per_byte_has_a_closed_form(tok):
    chat = [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "é"}]  # 4 bytes
    tokens = len(tok.apply_chat_template([*chat])["input_ids"])
    assert export.bits_per_byte(math.log(2), [chat], tok) == pytest.approx(tokens / 4)
