"""The shipped model: small, complete, safe to load, and with a tokenizer and template that say what they should."""

import json
import math
from pathlib import Path

import pytest

import onprem
from experiments.data.rows import HERE, read

FOLDER = Path(onprem.__file__).parent / "embedded"
MEBIBYTES = 5


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model():
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(FOLDER)


def test_it_is_under_5_mb_and_has_no_pickles():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MEBIBYTES * 2**20
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".jinja", ".md"}


def test_it_is_a_llama_of_the_promised_size_in_fp32(model):
    import torch

    assert json.loads((FOLDER / "config.json").read_text())["architectures"] == ["LlamaForCausalLM"]
    assert 500_000 <= sum(p.numel() for p in model.parameters()) <= 1_200_000
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_the_card_names_sources_licences_and_figures(model):
    card = (FOLDER / "MODEL_CARD.md").read_text()
    for fact in ("chitchat-dataset 0.9.0", "MIT", "CC-BY-4.0", "seed", "bits per byte", "Limits"):
        assert fact in card
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in card


@pytest.mark.parametrize(
    "text", ["", " two  spaces\n\ttab", '{"a":-12.5}', "naïve 中文 😀 \x00 \u202e", "0123456789" * 9]
)
def test_any_text_survives_the_round_trip(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_digits_stand_alone(tokenizer):
    assert len(tokenizer("20261122")["input_ids"]) == 8


def test_the_template_marks_the_assistants_words_and_its_end(tokenizer):
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "See you"},
    ]
    made = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    trained = [token for token, on in zip(made["input_ids"], made["assistant_masks"], strict=True) if on]
    assert tokenizer.decode(trained) == "Hello<|end|>See you<|end|>"
    assert tokenizer.decode(made["input_ids"]).startswith(
        "<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>"
    )


def test_a_prompt_for_generation_opens_the_assistants_turn(tokenizer):
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|user|>Hi<|end|><|assistant|>"
    assert tokenizer.eos_token == "<|end|>"


def test_it_has_learnt_english_and_not_the_shipped_data(tokenizer, model):
    """Far better than a uniform guess on held-out chats of another corpus, and no better on its training half."""
    import torch

    def loss(file):
        total = count = 0
        for example in read(HERE / "chat" / file)[:100]:
            ids = tokenizer.apply_chat_template(example["messages"], return_tensors="pt")["input_ids"]
            with torch.inference_mode():
                total += model(input_ids=ids, labels=ids).loss.item() * ids.shape[1]
            count += ids.shape[1]
        return total / count

    valid, train = loss("valid.jsonl"), loss("train.jsonl")
    assert valid < 0.7 * math.log(1024)
    assert abs(valid - train) < 0.25  # 100 chats each: the means differ by about 0.1 by chance
