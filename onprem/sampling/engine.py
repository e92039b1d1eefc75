"""Answers requests with models that it keeps in memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from onprem.sampling.choice import choice
from onprem.sampling.refused import Refused
from onprem.training import gpu
from onprem.training.loading import is_there, load_model, load_tokenizer
from onprem.training.rows_to_tokens import PLAIN_TEMPLATE

MODELS_KEPT = 3
MAX_ANSWER = 1024  # tokens, where the client names no limit
MAX_DRAWN = (
    32_768  # tokens of all of a request's answers: one worker answers everybody, one request after the other
)
UNTOLD_CONTEXT = 2048  # tokens, where a model's configuration names none: the registry's


class Engine:
    """Loads models by folder and generates with them."""

    def __init__(self) -> None:
        self.models: OrderedDict[str, tuple] = OrderedDict()
        self.device = "cuda" if gpu.present() else "cpu"

    def answer(self, request: dict, stop: Callable[[], bool]) -> Iterator[dict]:
        """Yield pieces (`index`, `text`, perhaps `logprobs`), an end for each choice, and at last `done` with usage."""
        if stop():  # the client went while others were answered
            return
        model, tokenizer = self._model(request["path"])
        prompts = self._prompts(model, tokenizer, request)
        n, drawn = request.get("n") or 1, 0
        limit = _limit(model, prompts, n, request.get("max_tokens"))
        for index, prompt in enumerate(prompt for prompt in prompts for _ in range(n)):
            if stop():
                return
            for answer in choice(model, tokenizer, prompt, limit, request, index, stop):
                drawn += answer.pop("tokens", 0)
                yield {"index": index, **answer}
        yield {"done": True, "prompt_tokens": sum(map(len, prompts)), "completion_tokens": drawn}

    def forget(self) -> None:
        """Give the models' memory back."""
        self.models.clear()
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def _model(self, path: str) -> tuple:
        if path not in self.models:
            if not is_there(Path(path)):
                raise Refused("model_not_found", "The model's files are gone.")
            model = load_model(Path(path), gpu.dtype_at_rest()).eval().to(self.device)
            self.models[path] = model, load_tokenizer(Path(path))
            while len(self.models) > MODELS_KEPT:
                self.models.popitem(last=False)
        self.models.move_to_end(path)
        return self.models[path]

    def _prompts(self, model, tokenizer, request: dict) -> list[list[int]]:
        if "messages" in request:
            template = tokenizer.chat_template or PLAIN_TEMPLATE
            texts = [
                tokenizer.apply_chat_template(
                    request["messages"], tokenize=False, add_generation_prompt=True, chat_template=template
                )
            ]
        else:
            texts = request["prompts"]
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        encoded = [_encode(model, tokenizer, text) if isinstance(text, str) else text for text in texts]
        size = model.config.get_text_config().vocab_size
        if any(token >= size for ids in encoded for token in ids):
            raise Refused(
                "invalid_prompt", f"This model's tokens are 0 to {size - 1}; the prompt holds others."
            )
        return [ids or [start] for ids in encoded]


def _encode(model, tokenizer, text: str) -> list[int]:
    """Tokenize, unless no tokenizing can make it fit: that takes a second a megabyte, and all others wait."""
    context = _context(model)
    if len(text) > context and len(text) > context * max(map(len, tokenizer.get_vocab())):
        told = f"This model's context holds {context} tokens, but the prompt has {len(text)} characters. Shorten it."
        raise Refused("context_length_exceeded", told)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def _context(model) -> int:
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or UNTOLD_CONTEXT


def _limit(model, prompts: list[list[int]], n: int, wanted: int | None) -> int:
    """Return how many tokens each answer may have."""
    context = _context(model)
    longest = max(map(len, prompts))
    room = context - longest
    if room < (0 if wanted == 0 else 1):
        text = f"This model's context holds {context} tokens, but the prompt has {longest}. Shorten it."
        raise Refused("context_length_exceeded", text)
    answers = n * len(prompts)
    limit = min(room, min(MAX_ANSWER, MAX_DRAWN // answers) if wanted is None else wanted)
    if answers > 1 and answers * limit > MAX_DRAWN:
        text = f"{answers} answers of {limit} tokens are more than the {MAX_DRAWN} tokens that one request may have. "
        raise Refused("too_many_tokens", text + "Ask for fewer or shorter ones, or in several requests.")
    return limit
