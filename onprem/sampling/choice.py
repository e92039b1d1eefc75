"""One answer to one prompt, token by token."""

import inspect
from collections.abc import Callable, Iterator

import torch

from onprem.sampling.draw import adjusted, draw
from onprem.sampling.refused import Refused
from onprem.sampling.text import TextStream

BROKEN = "The model gives no finite numbers: its weights are broken, mostly by too high a learning rate. Train it anew."


@torch.inference_mode()
def choice(
    model, tokenizer, prompt: list[int], limit: int, request: dict, index: int, stop: Callable[[], bool]
) -> Iterator[dict]:
    """Yield the pieces of one answer, each with the `tokens` drawn for it, and its end with a `finish_reason`.

    Parameters
    ----------
    model, tokenizer
        What answers.
    prompt : list of int
        Its tokens.
    limit : int
        Tokens to draw at most.
    request : dict
        Of the parameters of the API, those that drawing heeds.
    index : int
        The answer's number: answers of one seed differ.
    stop : callable
        Whether nobody waits any more.
    """
    ends, generator = _end_tokens(model, tokenizer), _generator(model.device, request.get("seed"), index)
    stream = TextStream(
        lambda ids: tokenizer.decode(ids, skip_special_tokens=True), request.get("stop") or []
    )
    told = request.get("echo") and request.get("logprobs") is not None
    cache, logits = _read(model, prompt, None, every=told)
    if request.get("echo"):
        yield from _echo(tokenizer, prompt, logits if told else None, request.get("logprobs"))
    counts, reason = {}, "length"
    for _ in range(limit):
        last = logits[-1]
        token = draw(
            adjusted(last, counts, request),
            request.get("temperature", 1.0),
            request.get("top_p", 1.0),
            generator,
        )
        counts[token] = counts.get(token, 0) + 1
        if token in ends or stop():
            yield {"text": "", "tokens": 1}
            reason = "stop"
            break
        answer = {"text": stream.add(token), "tokens": 1}
        if request.get("logprobs") is not None:
            answer["logprobs"] = _logprobs(tokenizer, last, token, request["logprobs"])
        yield answer
        if stream.stopped:
            break
        if sum(counts.values()) < limit:
            cache, logits = _read(model, [token], cache)
    rest = stream.rest()
    yield {"text": rest, "finish_reason": "stop" if stream.stopped else reason}


def _read(model, tokens: list[int], cache, every: bool = False) -> tuple:
    """Feed tokens; return the cache and the logits, shape (1 or as many as tokens, vocabulary)."""
    few = (
        {}
        if every or "logits_to_keep" not in inspect.signature(model.forward).parameters
        else {"logits_to_keep": 1}
    )
    feed = torch.tensor([tokens], device=model.device)
    out = model(input_ids=feed, past_key_values=cache, use_cache=True, **few)
    logits = out.logits[0].float()
    if not torch.isfinite(logits[-1].max()):  # a token that is never drawn may have -inf, the likeliest none
        raise Refused("model_broken", BROKEN)
    return out.past_key_values, logits


def _generator(device: torch.device, seed: int | None, index: int) -> torch.Generator:
    generator = torch.Generator(device)
    generator.seed() if seed is None else generator.manual_seed(seed + index)
    return generator


def _end_tokens(model, tokenizer) -> set[int]:
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return {token for token in (*ends, tokenizer.eos_token_id) if token is not None}


def _echo(tokenizer, prompt: list[int], logits: torch.Tensor | None, top: int | None) -> Iterator[dict]:
    """Yield the prompt, with what the model thought of each of its tokens; of the first it can think nothing."""
    yield {"text": tokenizer.decode(prompt, skip_special_tokens=False)}
    for at, token in enumerate(prompt) if logits is not None else ():
        if at:
            yield {"text": "", "logprobs": _logprobs(tokenizer, logits[at - 1], token, top)}
        else:
            yield {"text": "", "logprobs": {"token": _piece(tokenizer, token, None), "top": None}}


def _logprobs(tokenizer, logits: torch.Tensor, token: int, top: int) -> dict:
    """Return a token's log probability and the `top` likeliest ones', before temperature and penalties."""
    values = torch.log_softmax(logits, -1)
    best = values.topk(min(top, len(values))) if top else None
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True) if best else []
    return {
        "token": _piece(tokenizer, token, float(values[token])),
        "top": [_piece(tokenizer, t, v) for t, v in pairs],
    }


def _piece(tokenizer, token: int, logprob: float | None) -> dict:
    text = tokenizer.decode([token])
    shown = None if logprob is None else max(logprob, -9999.0)
    return {"token": text, "logprob": shown, "bytes": list(text.encode())}
