"""Which endpoint, with which key, for which store: arguments first, then the environment, then ``.env``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tracker.errors import InputError
from tracker.store import store_uri

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """What a session needs to know; the key is never printed."""

    base_url: str
    api_key: str = field(repr=False)
    provider: str
    tracking_uri: str

    @property
    def host(self) -> str:
        """The endpoint's host and port: enough to tell accounts apart, free of secrets."""
        parts = urlsplit(self.base_url)
        return (parts.hostname or "") + (f":{parts.port}" if parts.port else "")


def load_env() -> None:
    """Read ``.env`` from the working directory or the nearest parent; what is set already stays."""
    from dotenv import find_dotenv, load_dotenv

    load_dotenv(find_dotenv(usecwd=True))


def settings(
    base_url: str | None = None,
    api_key: str | None = None,
    provider: str | None = None,
    tracking_uri: str | None = None,
    *,
    need_endpoint: bool = True,
) -> Settings:
    """Resolve the endpoint, the key and the store.

    Raises
    ------
    InputError
        Where the provider is unknown, no endpoint is named for one that needs it, or a key is missing
        (loopback endpoints need none).
    """
    from tracker.providers import find, guess

    load_env()
    known = find(provider) if provider else None
    url = (
        base_url
        or _first_env(known.url_env if known else ("OPENAI_BASE_URL",))
        or (known.base_url if known else None)
    )
    if url is None and known is None:
        url = "https://api.openai.com/v1"
    known = known or guess(url or "")
    url = url or known.base_url
    if not url:
        if need_endpoint:
            raise InputError(f"{known.name} has no fixed address: give --base-url or set {known.url_env[0]}.")
        url = ""
    elif urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise InputError(f"{url!r} is no address; something like https://api.openai.com/v1 is expected.")
    key = api_key or _first_env(known.key_env)
    if not key and urlsplit(url).hostname in LOOPBACK:
        key = "none"
    if not key and need_endpoint:
        raise InputError(
            f"No API key for {known.name} at {url}: set {' or '.join(known.key_env)} in the environment or in .env."
        )
    return Settings(url, key or "", known.name, tracking_uri or store_uri())


def _first_env(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
