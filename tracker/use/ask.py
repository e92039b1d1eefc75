"""Asks a model: by the chat route, or by the legacy completions route for base models, which know no chat.

Nothing asked here is to be stored or trained on: every request says `store: false`. Services that do not know the
field have nothing to store by it, and are asked without.
"""

from __future__ import annotations

from typing import Any

from tracker.errors import Missing, ProviderError, TrackerError
from tracker.use.target import base_of

Message = dict[str, str]
# Base models of OpenAI that answer on the completions route alone, tuned or not.
LEGACY = ("babbage-002", "davinci-002", "gpt-3.5-turbo-instruct")


class Speaker:
    """One model behind an endpoint.

    Parameters
    ----------
    endpoint
        With `chat` and `complete`, as `tracker.client` has them.
    model
        Its name at the provider.
    options
        Sampling options for every request: temperature, max_tokens, seed.
    """

    def __init__(self, endpoint: Any, model: str, **options: Any):
        if not hasattr(endpoint, "chat"):
            raise TrackerError(f"{model} cannot be asked here: this provider's adapter reads jobs alone.")
        self._endpoint, self.model = endpoint, model
        self._options = {key: value for key, value in options.items() if value is not None}
        self._legacy = (base_of(model) or model).startswith(LEGACY)
        self._extra: dict[str, Any] = {"store": False}

    async def answer(self, messages: list[Message]) -> str:
        """The model's answer to a conversation."""
        if not self._legacy:
            try:
                choice = await self._ask(self._endpoint.chat, messages=messages)
                return str((choice.get("message") or {}).get("content") or "")
            except ProviderError as error:
                if not _needs_completions(error):
                    raise
                self._legacy = True
        try:
            choice = await self._ask(self._endpoint.complete, prompt=as_prompt(messages))
        except Missing as error:
            raise Missing(
                f"{self.model} is no run or job in this store, and the provider answers for no model of that name "
                f"({error}). `tracker models` lists the tuned models.",
                error.status,
            ) from None
        return str(choice.get("text") or "")

    async def _ask(self, route: Any, **body: Any) -> dict[str, Any]:
        request = {"model": self.model, **body, **self._options}
        try:
            served = await route(**request, **(self._extra if "messages" in body else {}))
        except ProviderError as error:
            if not self._extra or error.status not in (400, 422) or "store" not in str(error):
                raise
            self._extra = {}
            served = await route(**request)
        choices = served.get("choices") or [{}]
        return choices[0] if isinstance(choices[0], dict) else {}


def as_prompt(messages: list[Message]) -> str:
    """A conversation as the plain text that a base model continues: a lone user message is the prompt itself."""
    if [message["role"] for message in messages] == ["user"]:
        return messages[0]["content"]
    return "".join(f"{message['role']}: {message['content']}\n\n" for message in messages) + "assistant:"


def _needs_completions(error: ProviderError) -> bool:
    """Whether the answer says that the model, or the server, has no chat."""
    return (isinstance(error, Missing) and "chat" in str(error)) or "not a chat model" in str(error)
