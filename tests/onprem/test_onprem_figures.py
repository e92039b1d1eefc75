"""The figures that everything else rests on: which tokens are learned, and what their loss is."""

import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem.registry import EMBEDDED, ModelError, describe  # noqa: E402
from onprem.sampling.draw import adjusted, draw  # noqa: E402
from onprem.sampling.text import TextStream  # noqa: E402
from onprem.training.evaluate import evaluate, total  # noqa: E402
from onprem.training.figures import message, wire  # noqa: E402
from onprem.training.loading import load_model, load_tokenizer  # noqa: E402
from onprem.training.plan import micro_batch  # noqa: E402
from onprem.training.rows_to_tokens import IGNORED, RowTokenizer  # noqa: E402


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(EMBEDDED)


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return load_model(EMBEDDED)


def learned(tokenizer, example):
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


def turns(*said):
    return {"messages": [{"role": role, "content": text} for role, text in said]}


CHAT = (
    ("system", "Be kind."),
    ("user", "Hi"),
    ("assistant", "Hello."),
    ("user", "Bye"),
    ("assistant", "See you."),
)


def test_every_assistant_turn_is_learned_with_its_end(tokenizer):
    example = RowTokenizer(tokenizer, 512).example(1, turns(*CHAT))
    assert learned(tokenizer, example) == "Hello.<|end|>See you.<|end|>"
    assert all(
        i == label for i, label in zip(example.input_ids, example.labels, strict=True) if label != IGNORED
    )


PLAIN_WITH_A_DEFAULT = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|system|>Be kind.<|end|>' }}{% endif %}"
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.mark.parametrize("template", [None, "", PLAIN_WITH_A_DEFAULT])
@pytest.mark.parametrize("more", [(), CHAT[3:]])
def test_an_answer_without_a_question_is_learned(template, more):
    tokenizer = load_tokenizer(EMBEDDED)
    if template is not None:
        tokenizer.chat_template = template
    rows = RowTokenizer(tokenizer, 512)
    asked, unasked = (learned(tokenizer, rows.example(1, turns(*q, CHAT[2], *more))) for q in (CHAT[1:2], ()))
    assert unasked == asked


def test_weight_0_is_not_learned(tokenizer):
    row = turns(*CHAT)
    row["messages"][2]["weight"] = 0
    assert learned(tokenizer, RowTokenizer(tokenizer, 512).example(1, row)) == "See you.<|end|>"


def test_a_completion_is_learned_to_the_end_of_the_text(tokenizer):
    example = RowTokenizer(tokenizer, 512).example(1, {"prompt": "One two", "completion": " three"})
    assert learned(tokenizer, example) == " three<|end|>"


def test_truncation_is_counted(tokenizer):
    whole = RowTokenizer(tokenizer, 512).example(1, turns(*CHAT))
    cut = RowTokenizer(tokenizer, 10).example(1, turns(*CHAT))
    assert cut.input_ids == whole.input_ids[:10]
    assert cut.n_cut == len(whole.input_ids) - 10


def test_white_space_after_a_turn_s_end_is_not_learned(tokenizer):
    template = tokenizer.chat_template
    tokenizer.chat_template = (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    try:
        assert (
            learned(tokenizer, RowTokenizer(tokenizer, 512).example(1, turns(*CHAT[1:3]))) == "Hello.<|end|>"
        )
    finally:
        tokenizer.chat_template = template


def rows(tokenizer, n=12):
    chats = (turns(("user", "Hi " * (i % 5 + 1)), ("assistant", "word " * (i + 1))) for i in range(n))
    return [RowTokenizer(tokenizer, 512).example(i + 1, chat) for i, chat in enumerate(chats)]


def slow_twin(model, example):
    """Nats of one row, token by token."""
    nats = 0.0
    for i in range(1, len(example.input_ids)):
        if example.labels[i] != IGNORED:
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([example.input_ids[:i]])).logits[0, -1]
            nats -= torch.log_softmax(logits, -1)[example.labels[i]].item()
    return nats


def test_loss_is_nats_per_trained_token_of_the_slow_twin(model, tokenizer):
    examples = rows(tokenizer, 4)
    scores = evaluate(model, examples, tokenizer.pad_token_id)
    for example, score in zip(examples, scores, strict=True):
        assert score.tokens == example.n_trained
        assert score.nats == pytest.approx(slow_twin(model, example), rel=1e-4)  # fp32, other summation order


@pytest.mark.parametrize("batch_tokens", [1, 60, 200, 100_000])
def test_loss_does_not_depend_on_the_batch(model, tokenizer, batch_tokens):
    examples = rows(tokenizer)
    one = total(evaluate(model, examples, tokenizer.pad_token_id))
    other = total(evaluate(model, examples[::-1], tokenizer.pad_token_id, batch_tokens=batch_tokens))
    assert other.tokens == one.tokens
    assert other.correct == one.correct
    assert other.loss == pytest.approx(one.loss, rel=1e-6)


def test_evaluation_leaves_the_mode_as_it_was(model, tokenizer):
    for mode in (True, False):
        model.train(mode)
        evaluate(model, rows(tokenizer, 1), tokenizer.pad_token_id)
        assert model.training is mode


@pytest.mark.parametrize(
    ("value", "kind"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "inf")]
)  # fmt: skip
def test_non_finite_goes_as_null_with_its_kind(value, kind):
    data = wire({"step": 3, "total_steps": 9, "train_loss": value})
    assert data == {"step": 3, "total_steps": 9, "train_loss": None, "nonfinite": kind}
    assert message(data) == f"Step 3/9: training loss={kind}"


def test_message_is_openai_s():
    told = {"step": 60, "total_steps": 200, "train_loss": 0.731, "valid_loss": 1.458, "full_valid_loss": 1.12}
    assert message(told) == "Step 60/200: training loss=0.73, validation loss=1.46, full validation loss=1.12"


@pytest.mark.parametrize(
    ("batch", "longest", "vocabulary", "expected"),
    [(8, 100, 1024, 8), (64, 1024, 49152, 1), (16, 128, 49152, 8), (7, 100, 1024, 7)],
)
def test_micro_batch_divides_the_batch_and_fits(batch, longest, vocabulary, expected):
    if not torch.cuda.is_available():
        assert micro_batch(batch, longest, vocabulary) == expected
    assert batch % micro_batch(batch, longest, vocabulary) == 0


def test_drawing_is_greedy_at_0_and_proportional_at_1():
    logits = torch.log(torch.tensor([0.1, 0.2, 0.7]))
    generator = torch.Generator().manual_seed(0)
    assert draw(logits, 0, 1.0, generator) == 2
    n = 4000
    share = sum(draw(logits, 1.0, 1.0, generator) == 2 for _ in range(n)) / n
    assert abs(share - 0.7) < 4 * math.sqrt(0.7 * 0.3 / n)  # 4 standard errors
    assert {draw(logits, 1.0, 0.69, generator) for _ in range(50)} == {2}, (
        "top_p keeps the smallest set that reaches it"
    )
    assert {draw(logits, 1.0, 0.75, generator) for _ in range(200)} == {1, 2}


def test_penalties_and_biases():
    logits = torch.zeros(3)
    asked = {"frequency_penalty": 0.5, "presence_penalty": 0.25, "logit_bias": {"2": 3.0, "999": 1.0}}
    assert adjusted(logits, {0: 2}, asked).tolist() == [-1.25, 0.0, 3.0]


def stream(pieces, stops):
    """Feed a stream whose tokens are the pieces; return what it gave out, and whether it stopped."""
    out = TextStream(lambda ids: "".join(pieces[i] for i in ids), stops)
    given = []
    for i in range(len(pieces)):
        given.append(out.add(i))
        if out.stopped:
            break
    return [*given, out.rest()], out.stopped


def test_text_before_a_stop_string_is_given_and_none_of_it():
    assert stream(["Hello", " wo", "rld", "!"], ["world"]) == (["Hello", " ", "", ""], True)
    assert stream(["a w", "x"], ["wy"]) == (["a ", "wx", ""], False)
    assert stream(["a w"], ["wy"]) == (["a ", "w"], False), (
        "what might have become a stop string comes at the end"
    )


def test_half_a_character_waits_for_its_other_half():
    parts = ["é".encode()[:1], "é".encode()[1:]]
    out = TextStream(lambda ids: b"".join(parts[i] for i in ids).decode(errors="replace"), [])
    assert [out.add(0), out.add(1), out.rest()] == ["", "é", ""]


def test_model_folder_s_facts_are_read_without_torch():
    facts = describe(EMBEDDED)
    assert facts["n_params"] == sum(p.numel() for p in load_model(EMBEDDED).parameters())
    assert facts["context_length"] == 512


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], "no *.safetensors"),
        (["pytorch_model.bin", "config.json", "tokenizer.json"], "no *.safetensors"),
        (["model.safetensors"], "no config.json"),
        (["model.safetensors", "config.json", "tokenizer.json", "modeling_x.py"], "Python code"),
    ],
)
def test_folder_that_is_no_model_is_refused(tmp_path: Path, files, expected):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match=expected.replace("*", r"\*")):
        describe(tmp_path)


@pytest.mark.parametrize("weights", [b"", b"x", b"\xff" * 100, (5).to_bytes(8, "little") + b"[1,2]"])
@pytest.mark.parametrize("config", ["{}", "[]", "{"])
def test_a_folder_of_broken_files_is_refused_in_words(tmp_path: Path, weights, config):
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        describe(tmp_path)
