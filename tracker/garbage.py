"""Looking for garbage cycles seldom, in processes that are ours alone, and not at all while a large file is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects between two looks. MLflow and what it imports are 300,000 objects that stay: at Python's 700, looking
#: through them takes a quarter of the time of every write; at 20,000 it cannot be measured any more.
COLLECT_EACH = 20_000


def collect_seldom() -> None:
    """Let Python look for cycles seldom from now on; memory grows by some megabytes."""
    gc.set_threshold(COLLECT_EACH, 10, 10)


@contextmanager
def no_collecting() -> Iterator[None]:
    """No looks for cycles meanwhile: of millions of rows, none of which is one, each look costs more than the last."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
