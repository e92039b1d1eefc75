"""Asking a provider politely: one shared rate, Retry-After, back-off with jitter. Knows no provider and no HTTP library."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tracker.errors import ProviderError

Answer = TypeVar("Answer")

#: Tries before a reading is given up: with the waits below about a minute and a half of outage.
TRIES = 8

#: Tries at an address that refuses connections and has never answered.
TRIES_UNANSWERED = 3

#: First and longest wait between tries, in seconds.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0

#: A provider asking for longer than this is taken at its word only so far; then we look again.
LONGEST_RETRY_AFTER_S = 120.0

#: Failures of the transport before anything was sent.
NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout")

#: The rate never falls below this many requests per second, so that a storm cannot stop us for good.
SLOWEST_RATE = 0.2


class RateLimit:
    """One rate for all requests to one account: halved on 429, regained slowly (as TCP does).

    Parameters
    ----------
    per_second
        The most requests per second; data of the provider's file.
    """

    def __init__(self, per_second: float):
        self.ceiling = self.rate = per_second
        self.answered = False
        self._next = 0.0
        self._lowered = 0.0

    async def slot(self) -> None:
        """Wait until the next request may go."""
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        if at > now:
            await asyncio.sleep(at - now)

    def hold(self, seconds: float) -> None:
        """Slow down, and send nothing for so long. Requests in flight together count as one refusal."""
        now = time.monotonic()
        if now - self._lowered > 1.0:
            self.rate = max(self.rate / 2, SLOWEST_RATE)
            self._lowered = now
        self._next = max(self._next, now + seconds)

    def well(self) -> None:
        """A request went through: regain one hundredth of the ceiling."""
        self.answered = True
        self.rate = min(self.ceiling, self.rate + self.ceiling / 100)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks us to wait: milliseconds, seconds, or an HTTP date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) / unit)
        except ValueError:
            continue
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def no_answer(address: str, cause: str) -> ProviderError:
    """Return the error of a request without an answer, by the name of the transport's own.

    Of a connection that was never made it is certain that nothing was sent.
    """
    host = address.rstrip("/") or "the provider"
    if cause not in NEVER_SENT:
        return ProviderError(f"No answer from {host} ({cause}).")
    why = (
        "the connection was refused, or no such host" if cause == "ConnectError" else "no connection in time"
    )
    return ProviderError(
        f"No answer from {host} ({why}): is the server running? Check --base-url or OPENAI_BASE_URL.",
        sent=False,
    )


def wait_s(attempt: int, retry_after: float | None = None) -> float:
    """Return how long to wait before try ``attempt + 1``: what was asked for, else doubling, with jitter."""
    if retry_after is not None:
        return min(retry_after, LONGEST_RETRY_AFTER_S) + random.uniform(0, 0.25)
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt) * random.uniform(0.5, 1.0)


def hopeless(error: ProviderError, limit: RateLimit, attempt: int) -> bool:
    """Whether nobody listens at an address that never answered: the address is wrong, not the moment."""
    return not error.sent and not limit.answered and attempt + 1 >= TRIES_UNANSWERED


async def ask(call: Callable[[], Awaitable[Answer]], limit: RateLimit, tries: int = TRIES) -> Answer:
    """Carry out a reading, again where it may succeed later. Never for requests that create or pay.

    Raises
    ------
    ProviderError
        The last one, where every try failed or the refusal is final.
    """
    for attempt in range(tries):
        await limit.slot()
        try:
            answer = await call()
        except ProviderError as error:
            if error.status == 429:
                limit.hold(min(error.retry_after or 1.0, LONGEST_RETRY_AFTER_S))
            if not error.passing or attempt + 1 == tries or hopeless(error, limit, attempt):
                raise
            await asyncio.sleep(wait_s(attempt, error.retry_after))
        else:
            limit.well()
            return answer
    raise AssertionError("unreachable: the last try returns or raises")
