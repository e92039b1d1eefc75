"""Completions beyond the plain one: several prompts, prompts as tokens, echo, stop, n; and their cost."""

import json
import time

import openai
import pytest
from openai.types.completion import Completion

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from onprem.registry import EMBEDDED  # noqa: E402
from onprem.sampling.engine import Engine, Refused  # noqa: E402
from onprem.sampling.text import TextStream  # noqa: E402
from onprem.training.loading import load_model, load_tokenizer  # noqa: E402

TEXT = "I like tea"


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(EMBEDDED)


def complete(client, prompt=TEXT, **asked):
    asked = {"model": "embedded-tiny", "temperature": 0, "max_tokens": 6} | asked
    answer = client.completions.create(prompt=prompt, **asked)
    if not ("echo" in asked and "logprobs" in asked):  # OpenAI's type forgets that the first token has none
        Completion.model_validate(answer.to_dict(), strict=False)
    return answer


def test_several_prompts_are_each_answered_n_times(client):
    both = complete(client, [TEXT, "Hello"], n=2)
    alone = [complete(client, text) for text in (TEXT, "Hello")]
    said = [one.choices[0].text for one in alone]
    assert [c.index for c in both.choices] == [0, 1, 2, 3]
    assert [c.text for c in both.choices] == [said[0], said[0], said[1], said[1]]
    assert both.usage.prompt_tokens == sum(one.usage.prompt_tokens for one in alone)


def test_a_prompt_of_tokens_is_the_text_of_those_tokens(client, tokenizer):
    tokens = tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    said = complete(client).choices[0].text
    assert complete(client, tokens).choices[0].text == said
    assert [c.text for c in complete(client, [tokens, tokens]).choices] == [said, said]


def test_echo_gives_the_prompt_back_and_what_the_model_thought_of_it(client, tokenizer):
    """With no token drawn, the log probabilities are those of a plain forward pass: how perplexity is measured."""
    answer = complete(client, echo=True, max_tokens=0, logprobs=1).choices[0]
    assert answer.text == TEXT
    assert answer.finish_reason == "length"
    tokens = torch.tensor([tokenizer(TEXT, add_special_tokens=False)["input_ids"]])
    values = torch.log_softmax(load_model(EMBEDDED)(input_ids=tokens).logits[0].float(), -1)
    expected = values[:-1].gather(1, tokens[0, 1:, None])[:, 0].tolist()
    assert answer.logprobs.token_logprobs[0] is None
    assert answer.logprobs.token_logprobs[1:] == pytest.approx(expected, abs=1e-4)  # fp32, another kernel
    assert answer.logprobs.top_logprobs[0] is None
    assert len(answer.logprobs.top_logprobs[1]) == 1
    assert "".join(answer.logprobs.tokens) == TEXT
    assert answer.logprobs.text_offset == [
        0,
        *[len("".join(answer.logprobs.tokens[:i])) for i in range(1, tokens.shape[1])],
    ]


def test_echo_goes_before_the_answer_streamed_too(client):
    plain, echoed = complete(client).choices[0].text, complete(client, echo=True)
    assert echoed.choices[0].text == TEXT + plain
    stream = client.completions.create(
        model="embedded-tiny", prompt=TEXT, temperature=0, max_tokens=6, echo=True, stream=True
    )
    assert "".join(chunk.choices[0].text for chunk in stream) == TEXT + plain


def test_offsets_of_a_stream_count_from_the_answers_start(client):
    asked = {"model": "embedded-tiny", "prompt": [TEXT, "Hello"], "temperature": 0, "max_tokens": 4} | {
        "echo": True, "logprobs": 0,
    }  # fmt: skip
    whole = [choice.logprobs.text_offset for choice in client.completions.create(**asked).choices]
    streamed = [[], []]
    for chunk in client.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] += choice.logprobs.text_offset if choice.logprobs else []
    assert streamed == whole
    assert whole[0][-1] > 0


def test_top_p_0_is_greedy(client):
    assert complete(client, temperature=2, top_p=0).choices[0].text == complete(client).choices[0].text


@pytest.mark.parametrize("temperature", [1e-6, 1e-38, 1e-320])
def test_hardly_any_temperature_is_greedy(client, temperature):
    assert complete(client, temperature=temperature).choices[0].text == complete(client).choices[0].text


def test_stop_ends_before_the_string(client):
    said = complete(client, max_tokens=20).choices[0].text
    stop = said[len(said) // 2 :][:2]
    stopped = complete(client, max_tokens=20, stop=stop).choices[0]
    assert stopped.text == said[: said.index(stop)]
    assert stopped.finish_reason == "stop"


BAD = {
    "a token beyond the vocabulary": ({"prompt": [5_000_000]}, "tokens are 0 to 1023"),
    "a negative token": ({"prompt": [-1]}, "prompt"),
    "no prompt": ({"prompt": []}, "prompt"),
    "a prompt of none": ({"prompt": [[]]}, "prompt"),
    "mixed prompts": ({"prompt": ["a", 1]}, "prompt"),
    "best of more": ({"best_of": 3}, "best_of"),
    "too many answers": ({"prompt": ["a"] * 100, "n": 2}, "at most 128 answers"),
    "a suffix": ({"suffix": "x"}, "suffix"),
    "a prompt beyond the context": ({"prompt": [[5], [5] * 513]}, "context holds 512 tokens"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_completed_is_refused_by_name(client, case):
    asked, expected = BAD[case]
    with pytest.raises(openai.BadRequestError, match=expected):
        complete(client, **{"prompt": TEXT} | asked)


def test_best_of_as_many_as_asked_for_changes_nothing(client):
    assert complete(client, n=2, best_of=2).choices[1].text == complete(client).choices[0].text


def test_a_context_filled_to_the_brim_can_be_scored_but_not_continued(client):
    assert complete(client, [5] * 512, max_tokens=0, echo=True).usage.completion_tokens == 0
    with pytest.raises(openai.BadRequestError):
        complete(client, [5] * 512, max_tokens=1)


TEXTS = ("plain words", "naïve café — 日本語 😀 and on", "  leading, trailing  ", "tabs\tand\nlines\n")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("stops", [[], ["é"], ["zzz", "and"]])
def test_text_comes_out_as_the_whole_decoded_at_once(tokenizer, text, stops):
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    stream = TextStream(lambda ids: tokenizer.decode(ids, skip_special_tokens=True), stops)
    given = []
    for token in tokens:
        given.append(stream.add(token))
        if stream.stopped:
            break
    whole = tokenizer.decode(tokens, skip_special_tokens=True)
    ends = [whole.index(s) for s in stops if s in whole]
    assert "".join(given) + stream.rest() == whole[: min(ends, default=len(whole))]


def test_a_stop_string_is_seen_in_what_the_last_token_left_unfinished():
    tokens = [b"x", b"EN", b"D\xe2"]  # the last ends within a character
    stream = TextStream(lambda ids: b"".join(tokens[i] for i in ids).decode(errors="replace"), ["END"])
    assert "".join(stream.add(i) for i in range(3)) + stream.rest() == "x"
    assert stream.stopped


def test_a_long_answer_decodes_each_token_a_bounded_number_of_times():
    decoded = 0

    def decode(ids):
        nonlocal decoded
        decoded += len(ids)
        return "".join(chr(97 + i % 26) for i in ids)

    stream, n = TextStream(decode, ["zz"]), 2000
    text = "".join(stream.add(i) for i in range(n)) + stream.rest()
    assert len(text) == n
    assert decoded <= 4 * n


@pytest.mark.parametrize("patience", [0, 2])
def test_answers_that_nobody_waits_for_are_not_begun(patience):
    engine, begun = Engine(), set()
    asked = {"path": str(EMBEDDED), "prompts": [TEXT] * 9, "max_tokens": 0, "echo": True}
    for piece in engine.answer(asked, stop=lambda: len(begun) >= patience):
        begun.add(piece.get("index"))
    assert begun == set(range(patience))


def test_a_request_has_so_many_tokens_in_all_its_answers(monkeypatch):
    monkeypatch.setattr("onprem.sampling.engine.MAX_DRAWN", 8)
    asked = {"path": str(EMBEDDED), "prompts": [TEXT], "n": 4, "temperature": 0}
    with pytest.raises(Refused, match="4 answers of 3 tokens are more than the 8"):
        list(Engine().answer(asked | {"max_tokens": 3}, stop=lambda: False))
    assert list(Engine().answer(asked, stop=lambda: False))[-1]["completion_tokens"] == 8
    assert list(Engine().answer(asked | {"n": 1, "max_tokens": 9}, stop=lambda: False))[-1]["done"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_makes_nobody_wait(client, stream):
    """128 answers take minutes; the next request's few tokens do not wait for them."""
    asked = {"model": "embedded-tiny", "prompt": TEXT, "n": 128, "max_tokens": 256, "logit_bias": {"4": -100}}
    if stream:
        client.completions.create(**asked, stream=True).close()
    else:
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=1).completions.create(**asked)
    begun = time.monotonic()
    assert complete(client).choices[0].text
    assert time.monotonic() - begun < 20


def test_a_model_that_was_forgotten_answers_as_before():
    engine = Engine()
    asked = {"path": str(EMBEDDED), "prompts": [TEXT], "max_tokens": 4, "temperature": 0}

    def said() -> str:
        return json.dumps(list(engine.answer(asked, stop=lambda: False)))

    before = said()
    engine.forget()
    assert not engine.models
    assert said() == before


def test_what_can_never_fit_is_refused_untokenized(monkeypatch):
    engine = Engine()
    _, tokenizer = engine._model(str(EMBEDDED))
    monkeypatch.setattr(type(tokenizer), "__call__", lambda *_, **__: pytest.fail("tokenized"))
    for asked in ({"prompts": ["a " * 10**6]}, {"messages": [{"role": "user", "content": " " * 10**6}]}):
        with pytest.raises(Refused, match=r"the prompt has [0-9]+ characters") as refused:
            list(engine.answer({"path": str(EMBEDDED), **asked}, stop=lambda: False))
        assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_model_without_finite_numbers_is_told_so(temperature):
    engine = Engine()
    model, _ = engine._model(str(EMBEDDED))
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    asked = {"path": str(EMBEDDED), "prompts": [TEXT], "temperature": temperature, "max_tokens": 2}
    with pytest.raises(Refused, match="no finite numbers") as refused:
        list(engine.answer(asked, stop=lambda: False))
    assert refused.value.code == "model_broken"
