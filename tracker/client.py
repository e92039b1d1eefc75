"""The openai client behind the Endpoint interface: the only module that imports ``openai``.

Answers are taken as plain dicts: the SDK's models drop nothing we need, yet building them costs more than all our own
work, and unknown statuses or placeholders must pass unharmed.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import openai

from tracker.endpoint import PAGE, Item, Page
from tracker.errors import Missing, ProviderError
from tracker.polite import RateLimit, ask, no_answer, retry_after_s
from tracker.providers.base import Provider
from tracker.scrub import scrub
from tracker.settings import Settings

#: Seconds: an answer to a reading that takes longer is asked for again.
TIMEOUT_S = 60.0

#: Seconds for uploads and creates, where asking again is not free.
PATIENT_S = 600.0


class OpenAIEndpoint:
    """One account of a provider that speaks OpenAI's API. Implements :class:`tracker.endpoint.Endpoint`."""

    def __init__(self, settings: Settings, provider: Provider):
        # max_retries=0: the SDK repeats creates on a 500 and sends no idempotency key, so a job could be paid for thrice.
        common: dict[str, Any] = {"api_key": settings.api_key, "max_retries": 0, "timeout": TIMEOUT_S}
        if provider.api_version and not settings.base_url.rstrip("/").endswith("/v1"):
            self._client: Any = openai.AsyncAzureOpenAI(
                azure_endpoint=settings.base_url.split("/openai")[0],
                api_version=provider.api_version,
                **common,
            )
        else:
            self._client = openai.AsyncOpenAI(base_url=settings.base_url, **common)
        self._jobs = self._client.fine_tuning.jobs.with_raw_response
        self._checkpoints = self._client.fine_tuning.jobs.checkpoints.with_raw_response
        self._files = self._client.files.with_raw_response
        self.limit = RateLimit(provider.requests_per_second)

    async def jobs(self, after: str | None = None, metadata: dict[str, str] | None = None) -> Page:
        extra = {"metadata": metadata} if metadata else {}
        return await self._page(lambda: self._jobs.list(**_cursor(after), **extra))

    async def job(self, job_id: str) -> Item:
        return await self._read(lambda: self._jobs.retrieve(job_id))

    async def events(self, job_id: str, after: str | None = None) -> Page:
        return await self._page(lambda: self._jobs.list_events(job_id, **_cursor(after)))

    async def checkpoints(self, job_id: str, after: str | None = None) -> Page:
        return await self._page(lambda: self._checkpoints.list(job_id, **_cursor(after)))

    async def files(self, after: str | None = None) -> Page:
        return await self._page(lambda: self._files.list(**_cursor(after)))

    async def file(self, file_id: str) -> Item:
        return await self._read(lambda: self._files.retrieve(file_id))

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        await self.limit.slot()
        try:
            async with self._client.files.with_streaming_response.content(file_id) as answer:
                async for chunk in answer.iter_bytes():
                    yield chunk
        except openai.OpenAIError as error:
            raise _translated(error) from None
        except (
            Exception
        ) as error:  # the transport's own errors while the body streams; its types are not ours to import
            raise ProviderError(
                f"The connection was cut while reading file {file_id} ({type(error).__name__})."
            ) from None

    async def upload(self, path: Path, filename: str) -> Item:
        with path.open("rb") as file:
            return await self._once(
                lambda: self._files.create(file=(filename, file), purpose="fine-tune", timeout=PATIENT_S)
            )

    async def create(self, request: Item) -> Item:
        return await self._once(lambda: self._jobs.create(timeout=PATIENT_S, **request))

    async def cancel(self, job_id: str) -> Item:
        return await self._read(lambda: self._jobs.cancel(job_id))

    async def chat(self, **request: Any) -> Item:
        """Ask a chat model; repeated politely like a reading, since an answer leaves nothing behind."""
        chats = self._client.chat.completions.with_raw_response
        return await self._read(lambda: chats.create(timeout=PATIENT_S, **request))

    async def complete(self, **request: Any) -> Item:
        """Ask a model that knows no chat to continue a prompt (the legacy route)."""
        completions = self._client.completions.with_raw_response
        return await self._read(lambda: completions.create(timeout=PATIENT_S, **request))

    async def close(self) -> None:
        await self._client.close()

    async def _read(self, call: Callable[[], Awaitable[Any]]) -> Item:
        return await ask(lambda: _answer(call), self.limit)

    async def _once(self, call: Callable[[], Awaitable[Any]]) -> Item:
        await self.limit.slot()
        return await _answer(call)

    async def _page(self, call: Callable[[], Awaitable[Any]]) -> Page:
        body = await self._read(call)
        items = [item for item in body.get("data") or [] if isinstance(item, dict)]
        more = body.get("has_more")
        last = items[-1].get("id") if items else None
        # has_more is missing at some gateways: then the walk goes on until a page is empty.
        return Page(items, last if items and (more is None or more) else None)


def _cursor(after: str | None) -> Item:
    return {"limit": PAGE, **({"after": after} if after else {})}


async def _answer(call: Callable[[], Awaitable[Any]]) -> Item:
    """Carry out one request and return its JSON object."""
    try:
        raw = await call()
        body = json.loads(raw.content)
    except openai.OpenAIError as error:
        raise _translated(error) from None
    except ValueError:
        raise ProviderError(
            "The provider's answer is no JSON (a proxy's page, or a cut connection)."
        ) from None
    if not isinstance(body, dict):
        raise ProviderError(f"The provider's answer is a JSON {type(body).__name__}; an object was expected.")
    return body


def _translated(error: openai.OpenAIError) -> ProviderError:
    """Turn the SDK's error into ours, without what it quotes."""
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        body = error.body if isinstance(error.body, dict) else {}
        said = scrub(body.get("message") or error.message) or "no message"
        name = scrub(body.get("param"))
        if name and name not in said:  # what it is about: quoted content is gone from the message
            said = f"{name}: {said}"
        kind = Missing if status in (404, 405) else ProviderError
        path = error.request.url.path
        return kind(
            f"{error.request.method} {path} answered {status}: {said}",
            status,
            retry_after_s(error.response.headers),
        )
    cause = type(error.__cause__).__name__ if error.__cause__ else type(error).__name__
    address = str(error.request.url.copy_with(path="/", query=None, userinfo=b"")) if _asked(error) else ""
    return no_answer(address, cause)


def _asked(error: openai.OpenAIError) -> bool:
    return isinstance(error, openai.APIConnectionError)


def open_endpoint(settings: Settings, provider: Provider) -> OpenAIEndpoint:
    """Open an account that speaks OpenAI's API."""
    return OpenAIEndpoint(settings, provider)
