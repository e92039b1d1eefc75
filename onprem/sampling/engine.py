"""Answers requests with models that it keeps in memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from onprem.sampling.draw import adjusted, draw
from onprem.sampling.text import TextStream
from onprem.training.loading import load_model, load_tokenizer
from onprem.training.rows_to_tokens import PLAIN_TEMPLATE

MODELS_KEPT = 3
MAX_ANSWER = 1024  # tokens, where the client names no limit


class Refused(Exception):
    """The request cannot be answered; `code` is OpenAI's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Engine:
    """Loads models by folder and generates with them."""

    def __init__(self) -> None:
        self.models: OrderedDict[str, tuple] = OrderedDict()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def answer(self, request: dict, stop: Callable[[], bool]) -> Iterator[dict]:
        """Yield pieces (`index`, `text`, perhaps `logprobs`), an end for each choice, and at last `done` with usage."""
        model, tokenizer = self._model(request["path"])
        prompt = self._prompt(tokenizer, request)
        room = model.config.max_position_embeddings - len(prompt)
        if room < 1:
            text = f"This model's context holds {model.config.max_position_embeddings} tokens, but the prompt has {len(prompt)}."
            raise Refused("context_length_exceeded", text + " Shorten it.")
        limit = min(room, request.get("max_tokens") or MAX_ANSWER)
        drawn = 0
        for index in range(request.get("n") or 1):
            for answer in self._choice(model, tokenizer, prompt, limit, request, index, stop):
                drawn += answer.pop("tokens", 0)
                yield {"index": index, **answer}
        yield {"done": True, "prompt_tokens": len(prompt), "completion_tokens": drawn}

    def _model(self, path: str) -> tuple:
        if path not in self.models:
            if not Path(path).is_dir():
                raise Refused("model_not_found", "The model's files are gone.")
            self.models[path] = load_model(Path(path)).eval().to(self.device), load_tokenizer(Path(path))
            while len(self.models) > MODELS_KEPT:
                self.models.popitem(last=False)
        self.models.move_to_end(path)
        return self.models[path]

    def _prompt(self, tokenizer, request: dict) -> list[int]:
        if "messages" in request:
            template = tokenizer.chat_template or PLAIN_TEMPLATE
            text = tokenizer.apply_chat_template(
                request["messages"], tokenize=False, add_generation_prompt=True, chat_template=template
            )
        else:
            text = request["prompt"]
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids or [
            tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        ]

    @torch.inference_mode()
    def _choice(self, model, tokenizer, prompt, limit, request, index, stop) -> Iterator[dict]:
        ends = _end_tokens(model, tokenizer)
        generator = torch.Generator(self.device)
        generator.manual_seed(request["seed"] + index) if request.get(
            "seed"
        ) is not None else generator.seed()
        stream = TextStream(
            lambda ids: tokenizer.decode(ids, skip_special_tokens=True), request.get("stop") or []
        )
        cache, feed, counts, reason = None, torch.tensor([prompt], device=self.device), {}, "length"
        for _ in range(limit):
            out = model(input_ids=feed, past_key_values=cache, use_cache=True)
            cache, logits = out.past_key_values, out.logits[0, -1].float()
            token = draw(
                adjusted(logits, counts, request),
                request.get("temperature", 1.0),
                request.get("top_p", 1.0),
                generator,
            )
            counts[token] = counts.get(token, 0) + 1
            feed = torch.tensor([[token]], device=self.device)
            if token in ends or stop():
                yield {"text": "", "tokens": 1}
                reason = "stop"
                break
            answer = {"text": stream.add(token), "tokens": 1}
            if request.get("logprobs") is not None:
                answer["logprobs"] = _logprobs(tokenizer, logits, token, request["logprobs"])
            yield answer
            if stream.stopped:
                reason = "stop"
                break
        yield {"text": stream.rest(), "finish_reason": reason}


def _end_tokens(model, tokenizer) -> set[int]:
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return {token for token in (*ends, tokenizer.eos_token_id) if token is not None}


def _logprobs(tokenizer, logits: torch.Tensor, token: int, top: int) -> dict:
    """Return the drawn token's log probability and the `top` likeliest ones', before temperature and penalties."""
    values = torch.log_softmax(logits, -1)
    best = values.topk(min(top, len(values))) if top else None
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True) if best else []
    return {
        "token": _piece(tokenizer, token, float(values[token])),
        "top": [_piece(tokenizer, t, v) for t, v in pairs],
    }


def _piece(tokenizer, token: int, logprob: float) -> dict:
    text = tokenizer.decode([token])
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}
