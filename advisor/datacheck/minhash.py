"""Finds texts that are nearly the same, among many, without comparing every pair.

MinHash (Broder 1997) with banding (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3): texts that share a
band of minima are candidates, and only candidates are compared exactly. Knows nothing of training data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

SHINGLE = 5  # bytes: about a word of English, and 5 bytes fit in one 64-bit number
BANDS, ROWS = 16, 4  # at a similarity of 0.8 a pair is missed once in 5,000, at 0.3 it is looked at once in 8
REPRESENTATIVES = (
    4  # of a bucket: a text is compared with these, so that a thousand equal texts cost no million pairs
)
KEPT = 4096  # shingle sets kept in memory
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd multiplier of Fibonacci hashing
_SEEDS = np.random.default_rng(20261122).integers(
    1, 2**63, size=(BANDS * ROWS, 1), dtype=np.uint64
) | np.uint64(1)


def normal(text: str) -> str:
    """Case and runs of white space make no difference."""
    return " ".join(text.lower().split())


def shingles(text: str) -> np.ndarray:
    """The distinct runs of SHINGLE bytes in a normalised text, as sorted uint64; a shorter text is one shingle."""
    data = np.frombuffer(text.encode("utf-8", "replace").ljust(SHINGLE, b"\0"), dtype=np.uint8).astype(
        np.uint64
    )
    n = len(data) - SHINGLE + 1
    packed = np.zeros(n, dtype=np.uint64)
    for i in range(SHINGLE):
        packed = (packed << np.uint64(8)) | data[i : i + n]
    return np.unique(packed)


def signature(shingle_set: np.ndarray) -> np.ndarray:
    """BANDS x ROWS minima, each over another scrambling of the shingles."""
    mixed = shingle_set * _PRIME
    mixed ^= mixed >> np.uint64(29)
    scrambled = mixed[None, :] * _SEEDS
    scrambled ^= scrambled >> np.uint64(32)
    return scrambled.min(axis=1)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Shared share of two sets, given as sorted distinct values: 0 nothing in common, 1 the same."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / (len(a) + len(b) - shared)


def near_pairs(
    texts: Sequence[str], limit: float, groups: Sequence[str] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, similarity) with i < j whose normalised texts are at least `limit` alike.

    Of many texts alike each is paired with some earlier one of them, not with all. Where `groups` names each text's
    group, only texts of one group are compared.
    """
    # Kept for the texts compared last alone: the sets of all would take ten times the texts' memory.
    set_of = lru_cache(maxsize=KEPT)(lambda i: shingles(normal(texts[i])))
    buckets: dict[tuple[str, int, bytes], list[int]] = defaultdict(list)
    for j in range(len(texts)):
        shingle_set = set_of(j)
        bands = signature(shingle_set).reshape(BANDS, ROWS)
        keys = [(groups[j] if groups else "", b, band.tobytes()) for b, band in enumerate(bands)]
        for i in sorted({i for key in keys for i in buckets[key]}):
            similarity = jaccard(set_of(i), shingle_set)
            if similarity >= limit:
                yield i, j, similarity
        for key in keys:
            if len(buckets[key]) < REPRESENTATIVES:
                buckets[key].append(j)
