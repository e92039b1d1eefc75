"""Bodies of the two completion routes; parameters that this server does not have are refused by name."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from onprem.server.schemas import Number

MAX_STOPS = 4  # OpenAI's
MAX_CHOICES = 16  # of one request: they are drawn one after the other
# Accepted and without effect here: they do not change what an answer says.
HARMLESS = {
    "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
    "prompt_cache_retention", "verbosity", "reasoning_effort",
}  # fmt: skip


class Sampling(BaseModel):
    """What both routes share."""

    model_config = ConfigDict(extra="allow")

    model: str
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES, strict=True)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    logit_bias: dict[str, Annotated[Number, Field(ge=-100, le=100)]] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1, strict=True)] | None = None
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("response_format") == {"type": "text"}:
            return {k: v for k, v in values.items() if k != "response_format"}
        return values

    @model_validator(mode="after")
    def _nothing_else(self) -> "Sampling":
        unknown = sorted(
            k for k, v in (self.model_extra or {}).items() if k not in HARMLESS and v not in (None, [])
        )
        if unknown:
            raise ValueError(f"this server does not support {', '.join(k[:40] for k in unknown[:10])}")
        return self

    @field_validator("logit_bias")
    @classmethod
    def _token_ids(cls, value: dict | None) -> dict | None:
        if value and not all(key.isascii() and key.isdigit() and len(key) < 10 for key in value):
            raise ValueError("expected token ids as keys")
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


class TextPart(BaseModel):
    """A text part of a message's content."""

    model_config = ConfigDict(extra="forbid")
    type: Annotated[str, Field(pattern="^text$")]
    text: str


class Message(BaseModel):
    """A chat message."""

    model_config = ConfigDict(extra="forbid")
    role: Annotated[str, Field(pattern="^(system|developer|user|assistant)$")]
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


class TextCreate(Sampling):
    """Body of POST /v1/completions; one prompt a request."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    max_tokens: Annotated[int, Field(ge=1, strict=True)] | None = 16  # OpenAI's default
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=5, strict=True)] | None = None

    @field_validator("echo")
    @classmethod
    def _no_echo(cls, value: bool | None) -> bool | None:
        if value:
            raise ValueError("this server does not echo prompts")
        return value

    def request(self) -> dict:
        """Return what the inference worker reads."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        logprobs = {} if self.logprobs is None else {"logprobs": self.logprobs}
        return super().request() | logprobs | {"prompt": prompt, "max_tokens": self.max_tokens}
