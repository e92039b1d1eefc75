"""Writes a pretrained model as a folder that any Hugging Face tool opens, with the card that says how it came about."""

import math
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from .corpus import Chat
from .train import Plan, Result

CARD = Path(__file__).parent / "card.md"


def export(
    result: Result, plan: Plan, tokenizer: PreTrainedTokenizerFast, held_out: list[Chat], folder: Path
) -> None:
    """Write config, weights (fp32 safetensors), tokenizer, chat template and MODEL_CARD.md into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    result.model.generation_config.max_length = None  # the server says how long an answer may be
    result.model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # written readable for its owner alone
    tokenizer.save_pretrained(folder)
    (folder / "MODEL_CARD.md").write_text(card(result, plan, tokenizer, held_out))


def bits_per_byte(loss: float, chats: list[Chat], tokenizer: PreTrainedTokenizerFast) -> float:
    """Turn nats per token into bits per UTF-8 byte of the chats' text; the role markers' loss is counted in."""
    tokens = sum(len(tokenizer.apply_chat_template(chat)["input_ids"]) for chat in chats)
    size = sum(len(turn["content"].encode()) for chat in chats for turn in chat)
    return loss * tokens / size / math.log(2)


def card(result: Result, plan: Plan, tokenizer: PreTrainedTokenizerFast, held_out: list[Chat]) -> str:
    """Fill the card's figures in."""
    return CARD.read_text().format(
        plan=plan,
        result=result,
        vocabulary=len(tokenizer),
        bits_per_byte=bits_per_byte(result.valid_loss, held_out, tokenizer),
        uniform=math.log(len(tokenizer)),
    )
