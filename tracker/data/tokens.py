"""Counts tokens: by tiktoken where it is installed and has its files, else by a stated estimate. Never downloads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

from tracker.data.texts import all_texts

ENCODING = "o200k_base"  # GPT-4o's and 4.1's; older models' cl100k_base counts a few per cent more
URL = f"https://openaipublic.blob.core.windows.net/encodings/{ENCODING}.tiktoken"
# OpenAI's rule of thumb for English; other scripts need more tokens a character, but have more bytes a character too.
BYTES_PER_TOKEN = 4
# Role and separators of each message, as OpenAI's cookbook counts them for chat models.
PER_MESSAGE = 3


@dataclass(frozen=True)
class Counter:
    """Counts the tokens of a text, and says how."""

    how: str
    count: Callable[[str], int]

    def row(self, row: dict[str, Any]) -> int:
        """Tokens of a whole example: every message's text, and what marks each message."""
        return sum(self.count(text) + PER_MESSAGE for text in all_texts(row))


def counter() -> Counter:
    """The best counter that works here without the network."""
    encoding = _tiktoken()
    if encoding is not None:
        return Counter(f"tiktoken {ENCODING}", lambda text: len(encoding.encode(text, disallowed_special=())))
    return Counter(f"estimate, {BYTES_PER_TOKEN} bytes a token", estimate)


def estimate(text: str) -> int:
    """Bytes of UTF-8 over `BYTES_PER_TOKEN`, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def _tiktoken() -> Any:
    """tiktoken's encoding if its file lies in its cache: without it, tiktoken would go and fetch it."""
    try:
        import tiktoken
    except ImportError:
        return None
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    cache = Path(folder or Path(tempfile.gettempdir()) / "data-gym-cache")
    if not (cache / sha1(URL.encode()).hexdigest()).is_file():
        return None
    return tiktoken.get_encoding(ENCODING)
