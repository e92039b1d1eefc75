"""The worker's pieces as OpenAI's completion objects, whole or chunk by chunk."""

import time
from collections import Counter
from collections.abc import Callable

from onprem import ids


def usage(done: dict) -> dict:
    """Shape the token counts."""
    prompt, completion = done["prompt_tokens"], done["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class Shape:
    """What differs between the two routes."""

    def __init__(self, model: str) -> None:
        self.head = {"id": ids.new(self.prefix, 29), "created": int(time.time()), "model": model}

    prefix: str
    whole: str
    part: str
    choice: Callable
    delta: Callable
    logprobs: Callable

    def chunk(self, choices: list[dict], **extra) -> dict:
        """Shape one event of a stream."""
        return {**self.head, "object": self.part, "choices": choices, **extra}

    def answer(self, pieces: list[dict], done: dict) -> dict:
        """Shape the whole answer from all pieces."""
        choices = []
        for index in sorted({p["index"] for p in pieces}):
            own = [p for p in pieces if p["index"] == index]
            reason = own[-1]["finish_reason"]
            logprobs = self.logprobs([p["logprobs"] for p in own if "logprobs" in p])
            text = "".join(p["text"] for p in own)
            choices.append(
                {"index": index, "finish_reason": reason, "logprobs": logprobs, **self.choice(text)}
            )
        return {**self.head, "object": self.whole, "choices": choices, "usage": usage(done)}

    def piece(self, piece: dict) -> dict:
        """Shape one piece as a choice of a chunk."""
        logprobs = self.logprobs([piece["logprobs"]]) if "logprobs" in piece else None
        reason = piece.get("finish_reason")
        return {
            "index": piece["index"],
            "finish_reason": reason,
            "logprobs": logprobs,
            **self.delta(piece["text"]),
        }


class Chat(Shape):
    """/v1/chat/completions."""

    prefix, whole, part = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def choice(self, text: str) -> dict:
        """Shape a choice's text."""
        return {"message": {"role": "assistant", "content": text, "refusal": None, "annotations": []}}

    def delta(self, text: str) -> dict:
        """Shape a piece of text."""
        return {"delta": {"content": text} if text else {}}

    def logprobs(self, tokens: list[dict]) -> dict | None:
        """Shape tokens' log probabilities."""
        if not tokens:
            return None
        content = [{**t["token"], "top_logprobs": t["top"]} for t in tokens]
        return {"content": content, "refusal": None}


class Text(Shape):
    """/v1/completions."""

    prefix, whole, part = "cmpl", "text_completion", "text_completion"

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.streamed = (
            Counter()
        )  # characters of each choice's tokens so far: offsets count from the answer's start

    def piece(self, piece: dict) -> dict:
        """Shape one piece as a choice of a chunk, its tokens counted on."""
        shaped = super().piece(piece)
        if told := shaped["logprobs"]:
            told["text_offset"] = [self.streamed[piece["index"]] + at for at in told["text_offset"]]
            self.streamed[piece["index"]] += sum(map(len, told["tokens"]))
        return shaped

    def choice(self, text: str) -> dict:
        """Shape a choice's text."""
        return {"text": text}

    delta = choice

    def logprobs(self, tokens: list[dict]) -> dict | None:
        """Shape tokens' log probabilities, in the older form."""
        if not tokens:
            return None
        texts = [t["token"]["token"] for t in tokens]
        return {
            "tokens": texts,
            "token_logprobs": [t["token"]["logprob"] for t in tokens],
            "top_logprobs": [_by_token(t["top"]) for t in tokens],
            "text_offset": [sum(map(len, texts[:i])) for i in range(len(texts))],
        }


def _by_token(pairs: list[dict] | None) -> dict | None:
    return None if pairs is None else {pair["token"]: pair["logprob"] for pair in pairs}
