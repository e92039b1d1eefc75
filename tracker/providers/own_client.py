"""What the adapters of providers with clients of their own share: politeness, plain dicts, our errors.

These clients are of one make (generated, like openai's), so their raw answers and their exceptions look alike.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from tracker.endpoint import Item
from tracker.errors import Missing, ProviderError, TrackerError
from tracker.polite import RateLimit, ask, no_answer, retry_after_s
from tracker.providers.base import Provider
from tracker.scrub import scrub

#: Packages whose exceptions are about the connection: the same request may succeed later.
TRANSPORTS = ("httpx", "httpcore", "aiohttp", "anyio", "ssl", "socket")


class OwnClient:
    """A provider's client behind our politeness. ``package`` is the client's module, with its exceptions."""

    def __init__(self, package: ModuleType, client: Any, provider: Provider):
        self._package, self._client = package, client
        self.limit = RateLimit(provider.requests_per_second)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _read(self, call: Callable[[], Awaitable[Any]]) -> Item:
        return await ask(lambda: self._answer(call), self.limit)

    async def _once(self, call: Callable[[], Awaitable[Any]]) -> Item:
        await self.limit.slot()
        return await self._answer(call)

    async def _answer(self, call: Callable[[], Awaitable[Any]]) -> Item:
        async with self._errors():
            raw = await call()
            # Where a client has no raw form of a call, its model is taken apart again, under the service's names.
            body = (
                raw.model_dump(mode="json", by_alias=True) if hasattr(raw, "model_dump") else await raw.json()
            )
        return body if isinstance(body, dict) else {"data": body}

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        """Turn whatever the client lets through into our errors, without what they quote."""
        try:
            yield
        except (TrackerError, AttributeError):  # ours already, or a mistake of ours
            raise
        except self._package.APIStatusError as error:
            raise _status_error(error) from None
        except self._package.APIConnectionError as error:
            cause = type(error.__cause__).__name__ if error.__cause__ else type(error).__name__
            raise no_answer(str(error.request.url.copy_with(path="/", query=None)), cause) from None
        except json.JSONDecodeError:
            raise ProviderError("The provider's answer is no JSON.") from None
        except Exception as error:
            name = type(error).__name__
            if type(error).__module__.split(".")[0] in TRANSPORTS:  # let through where the client streams
                raise no_answer(str(self._client.base_url), name) from None
            raise ProviderError(f"The provider's client gives up ({name}: {scrub(error)}).", 400) from None


def _status_error(error: Any) -> ProviderError:
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error") if isinstance(body.get("error"), dict) else body
    said = scrub(inner.get("message") or error.message) or "no message"
    kind = Missing if error.status_code in (404, 405) else ProviderError
    retry_after = retry_after_s(error.response.headers)
    path = error.request.url.path
    return kind(
        f"{error.request.method} {path} answered {error.status_code}: {said}", error.status_code, retry_after
    )
