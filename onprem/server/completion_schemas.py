"""Bodies of the two completion routes; parameters that this server does not have are refused by name."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from onprem.server.schemas import Number, Strict
from onprem.server.wording import refuse

MAX_STOPS = 4  # OpenAI's
MAX_CHOICES = 128  # of one request, as OpenAI's; they are drawn one after the other
# Accepted and without effect here: they do not change what an answer says.
HARMLESS = {
    "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
    "prompt_cache_retention", "verbosity", "reasoning_effort",
}  # fmt: skip


class Sampling(Strict):
    """What both routes share."""

    model: str
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES, strict=True)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    logit_bias: dict[str, Annotated[Number, Field(ge=-100, le=100)]] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1, strict=True)] | None = None
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_what_asks_for_nothing(cls, values: Any) -> Any:
        """Clients send some parameters whether they use them or not: harmless ones, and empty ones."""
        if not isinstance(values, dict):
            return values
        plain = {"response_format": {"type": "text"}, "modalities": ["text"]}
        return {
            k: v for k, v in values.items()
            if k in cls.model_fields or not (k in HARMLESS or v in (None, [], plain.get(k)))
        }  # fmt: skip

    @field_validator("logit_bias")
    @classmethod
    def _token_ids(cls, value: dict | None) -> dict | None:
        if value and not all(key.isascii() and key.isdigit() and len(key) < 10 for key in value):
            raise refuse("", "Invalid value for 'logit_bias': expected token ids as keys")
        return value

    def request(self) -> dict:
        """Return what the inference worker reads."""
        asked = self.model_dump(
            include={"n", "temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias"}
        )
        stops = [self.stop] if isinstance(self.stop, str) else self.stop
        seed = None if self.seed is None else self.seed % 2**62
        return {k: v for k, v in {**asked, "seed": seed, "stop": stops}.items() if v is not None}

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with a usage chunk."""
        return bool((self.stream_options or {}).get("include_usage"))


class TextPart(Strict):
    """A text part of a message's content."""

    type: Literal["text"]
    text: str


class Message(Strict):
    """A chat message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1)]
    name: str | None = None
    refusal: str | None = None

    def plain(self) -> dict:
        """Return role and text."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": self.role, "content": text}


class ChatCreate(Sampling):
    """Body of POST /v1/chat/completions."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1, strict=True)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, strict=True)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20, strict=True)] | None = None

    def request(self) -> dict:
        """Return what the inference worker reads."""
        limit = self.max_completion_tokens or self.max_tokens
        logprobs = {"logprobs": self.top_logprobs or 0} if self.logprobs else {}
        messages = [m.plain() for m in self.messages]
        return super().request() | logprobs | {"messages": messages, "max_tokens": limit}


Token = Annotated[int, Field(ge=0, strict=True)]
Tokens = Annotated[list[Token], Field(min_length=1)]


class TextCreate(Sampling):
    """Body of POST /v1/completions."""

    prompt: (
        str
        | Tokens
        | Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES)]
        | Annotated[list[Tokens], Field(min_length=1, max_length=MAX_CHOICES)]
    )
    max_tokens: Annotated[int, Field(ge=0, strict=True)] | None = 16  # OpenAI's default
    echo: bool | None = None
    best_of: Annotated[int, Field(ge=0, le=20, strict=True)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=5, strict=True)] | None = None

    @field_validator("prompt", mode="before")
    @classmethod
    def _countable(cls, value: Any) -> Any:
        """Tell one thing of too many prompts, rather than of each that it is no token."""
        if isinstance(value, list) and len(value) > MAX_CHOICES and not isinstance(value[0], int):
            raise refuse("", f"Invalid value for 'prompt': expected at most {MAX_CHOICES} prompts")
        return value

    @model_validator(mode="after")
    def _not_too_many(self) -> "TextCreate":
        if (self.n or 1) * len(self._prompts()) > MAX_CHOICES:
            text = f"This server gives at most {MAX_CHOICES} answers a request, n for each prompt"
            raise refuse("n", text)
        if (self.best_of or 1) > (self.n or 1):
            text = "This server does not draw more answers than it gives; leave best_of out"
            raise refuse("best_of", text)
        return self

    def request(self) -> dict:
        """Return what the inference worker reads."""
        logprobs = {} if self.logprobs is None else {"logprobs": self.logprobs}
        asked = {"prompts": self._prompts(), "max_tokens": self.max_tokens, "echo": bool(self.echo)}
        return super().request() | logprobs | asked

    def _prompts(self) -> list[str | list[int]]:
        one = isinstance(self.prompt, str) or isinstance(self.prompt[0], int)
        return [self.prompt] if one else self.prompt
