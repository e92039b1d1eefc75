"""The providers, one file each; an explicit tuple lists them. To add one: its file, and its name here."""

from __future__ import annotations

import fnmatch
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracker.errors import InputError
from tracker.providers.base import Provider

if TYPE_CHECKING:
    from tracker.endpoint import Endpoint
    from tracker.settings import Settings

#: ``compatible`` stands last: it takes any address.
NAMES = ("openai", "azure", "nebius", "together", "fireworks", "onprem", "compatible")


def find(name: str) -> Provider:
    """Return a provider by name."""
    if name not in NAMES:
        raise InputError(
            f"Provider {name!r} is unknown; known are {', '.join(NAMES)} (compatible takes any address)."
        )
    return import_module(f"tracker.providers.{name}").PROVIDER


def guess(base_url: str) -> Provider:
    """Return the provider that an address belongs to, by its host."""
    host = urlsplit(base_url).hostname or ""
    for name in NAMES:
        provider = find(name)
        if any(fnmatch.fnmatch(host, pattern) for pattern in provider.hosts):
            return provider
    return find("compatible")


def open_endpoint(settings: Settings) -> Endpoint:
    """Open the account that the settings name, with the client that its provider needs."""
    provider = find(settings.provider)
    module = "tracker.client" if provider.client == "openai" else f"tracker.providers.{provider.client}"
    return import_module(module).open_endpoint(settings, provider)
