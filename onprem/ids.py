"""Identifiers shaped like OpenAI's: a prefix and 24 random letters and digits."""

import hashlib
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new(prefix: str, length: int = 24) -> str:
    """Return a fresh id such as ``ftjob-Zt0...``."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def derived(prefix: str, *parts: str) -> str:
    """Return the same id for the same parts: a step repeated after a crash names the same thing."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f"{prefix}-" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:24])


def shown(name: str) -> str:
    """Return a client's name fit for a message: printable, and no longer than a name is."""
    return "".join(c if c.isprintable() else "?" for c in name[:80])
