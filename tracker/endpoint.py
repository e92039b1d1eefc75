"""What the rest of the tracker asks of a provider. Adapters implement it; nobody else knows their client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tracker.polite import RateLimit

Item = dict[str, Any]

#: Items asked for per page. OpenAI serves 20 unless asked; 100 is the most its other list routes allow.
PAGE = 100


@dataclass(frozen=True)
class Page:
    """One page as served: its items in the provider's order, and the cursor of the next page (None: no more)."""

    items: list[Item]
    after: str | None


class Endpoint(Protocol):
    """One account at one provider. Readings are repeated politely; ``create`` and ``upload`` are sent once.

    Every method raises :class:`tracker.errors.ProviderError`; an absent thing or route raises ``Missing``.
    ``limit`` is the account's shared rate.
    """

    limit: RateLimit

    async def jobs(self, after: str | None = None, metadata: dict[str, str] | None = None) -> Page:
        """List jobs, newest first."""

    async def job(self, job_id: str) -> Item:
        """Retrieve a job."""

    async def events(self, job_id: str, after: str | None = None) -> Page:
        """List a job's events, newest first as a rule."""

    async def checkpoints(self, job_id: str, after: str | None = None) -> Page:
        """List a job's checkpoints."""

    async def files(self, after: str | None = None) -> Page:
        """List the account's files."""

    async def file(self, file_id: str) -> Item:
        """Retrieve a file's description."""

    def content(self, file_id: str) -> AsyncIterator[bytes]:
        """Stream a file's content in chunks."""

    async def upload(self, path: Path, filename: str) -> Item:
        """Upload a training file. Sent once."""

    async def create(self, request: Item) -> Item:
        """Create a job. Sent once: it may cost money."""

    async def cancel(self, job_id: str) -> Item:
        """Cancel a job."""

    async def close(self) -> None:
        """Close the connections."""


async def walk(page: Callable[[str | None], Awaitable[Page]]) -> list[Item]:
    """Read all pages: each item once, in the order first met, however pages repeat or overlap.

    Parameters
    ----------
    page
        Reads the page after a cursor (None: the first).
    """
    found: dict[str, Item] = {}
    cursor: str | None = None
    cursors: set[str] = set()
    while True:
        answer = await page(cursor)
        for item in answer.items:
            found.setdefault(identity(item), item)
        # A provider that ignores `after` would serve its first page for ever: a cursor met twice ends the walk.
        if answer.after is None or answer.after in cursors:
            return list(found.values())
        cursors.add(answer.after)
        cursor = answer.after


def identity(item: Item) -> str:
    """Return what tells two items apart: the id, else the whole content (some gateways drop ids)."""
    return str(item.get("id") or sorted(item.items(), key=lambda pair: pair[0]))
