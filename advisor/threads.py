"""One BLAS thread while advice is worked out: of matrices as small as ours two take three times the CPU time of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits

_lock, _inside, _limit = Lock(), 0, None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """The number of threads is the process's: the first call in sets it, the last one out puts it back."""
    global _inside, _limit
    with _lock:
        _limit = _limit or threadpool_limits(1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.restore_original_limits()
                _limit = None
