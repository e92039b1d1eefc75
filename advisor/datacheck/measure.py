"""Figures of the data, computed once, that every data rule reads. Knows no rule and no threshold but SIMILAR."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from advisor.datacheck.examples import Example
from advisor.datacheck.losses import ExampleLoss
from advisor.datacheck.minhash import near_pairs, normal

# Jaccard similarity of 5-byte shingles from which two rows count as nearly the same: about one changed word in a
# sentence of twelve. Lee et al. 2022 (arXiv 2107.06499) use 0.8 for near-duplicate documents too.
SIMILAR = 0.8
SAMPLE = 2**20  # bytes of text that the compression ratio is taken on
LONGEST = 4  # times the median: as much of a prompt counts
WORD = re.compile(r"\w+")
SHOWN = 10  # lines named in a finding; the count tells how many there are


@dataclass(frozen=True)
class Twin:
    """A row and an earlier row that it repeats. `similarity` 1: word for word."""

    line: int
    like: int
    similarity: float


@dataclass(frozen=True)
class DataMeasurements:
    """Training and validation examples with what was measured on them; each figure is computed on first use."""

    train: tuple[Example, ...]
    valid: tuple[Example, ...] | None = None  # None: there is no validation file
    losses: tuple[ExampleLoss, ...] | None = None  # of the validation examples

    @cached_property
    def good(self) -> list[Example]:
        return [e for e in self.train if e.problem is None]

    @cached_property
    def good_valid(self) -> list[Example]:
        return [e for e in self.valid or () if e.problem is None]

    @cached_property
    def problems(self) -> list[tuple[str, Example]]:
        """Rows that cannot be trained on, with the file that they are in."""
        files = (("training", self.train), ("validation", self.valid or ()))
        return [(name, e) for name, rows in files for e in rows if e.problem is not None]

    @cached_property
    def twins(self) -> list[Twin]:
        """Training rows that repeat an earlier one, each once, with the most similar."""
        return _nearest(self._pairs, self.good, self.good, lambda i, j: j < len(self.good))

    @cached_property
    def leaks(self) -> list[Twin]:
        """Validation rows that are also training rows; `like` is the training row's line."""
        n = len(self.good)
        both = [*self.good, *self.good_valid]
        return _nearest(self._pairs, both, both, lambda i, j: i < n <= j)

    @cached_property
    def conflicts(self) -> list[Twin]:
        """Training rows with an earlier row's system message and prompt, and another answer."""
        first: dict[tuple[str, str], Example] = {}
        found = []
        for e in self.good:
            if e.prompt.strip():
                seen = first.setdefault((e.scene, normal(e.prompt)), e)
                if normal(seen.answer) != normal(e.answer):
                    found.append(Twin(e.line, seen.line, 1.0))
        return found

    @cached_property
    def _pairs(self) -> list[tuple[int, int, float]]:
        rows = (*self.good, *self.good_valid)
        texts, scenes = [e.text for e in rows], [e.scene for e in rows]
        return _exact_first(texts, scenes, near_pairs(texts, SIMILAR, scenes))

    @cached_property
    def compression(self) -> float | None:
        """Bytes of prompts per byte of their deflate form: 1 to 4 for people's own words, 6 and more for templates."""
        order = np.random.default_rng(0).permutation(len(self.good))
        prompts = [normal(self.good[i].prompt) for i in order]
        most = LONGEST * float(np.median([len(p) for p in prompts] or [0]))  # no one row decides
        data = "\n".join(p[: max(int(most), 1)] for p in prompts).encode("utf-8", "replace")[:SAMPLE]
        return len(data) / len(zlib.compress(data, 9)) if len(data) >= 2**12 else None

    @cached_property
    def distinct_prompts(self) -> float | None:
        """Different prompts per good training row; None where the rows have no prompts or are fewer than 10."""
        prompts = [(e.scene, normal(e.prompt)) for e in self.good if e.prompt.strip()]
        return (
            len(set(prompts)) / len(prompts)
            if len(prompts) >= 10 and len(prompts) == len(self.good)
            else None
        )

    @cached_property
    def commonest_answer(self) -> list[Example]:
        """The good training rows that give the answer which most of them give."""
        by_answer: dict[str, list[Example]] = defaultdict(list)
        for e in self.good:
            by_answer[normal(e.answer)].append(e)
        return max(by_answer.values(), key=len, default=[])

    @cached_property
    def new_words(self) -> float | None:
        """Share of the words in a tenth of the training rows that the other nine tenths never use; a row above the
        median in length weighs as that, so that no one decides.
        """
        order = np.random.default_rng(0).permutation(len(self.good))
        cut = len(order) - len(order) // 10
        known = {w for i in order[:cut] for w in _words(self.good[i])}
        last = [words for i in order[cut:] if (words := _words(self.good[i]))]
        if not last:
            return None
        sizes = np.array([len(words) for words in last])
        new = [sum(w not in known for w in words) / len(words) for words in last]
        return float(np.average(new, weights=np.minimum(sizes, np.median(sizes))))


def _words(example: Example) -> list[str]:
    return WORD.findall(example.text.lower())


def _exact_first(texts: Sequence[str], groups: Sequence[str], near) -> list[tuple[int, int, float]]:
    """Near pairs, with the pairs added whose normalised texts are equal (each with the first of its kind)."""
    first: dict[tuple[str, str], int] = {}
    keys = [(group, normal(text)) for group, text in zip(groups, texts, strict=True)]
    exact = [(i, j, 1.0) for j, key in enumerate(keys) if (i := first.setdefault(key, j)) != j]
    return exact + list(near)


def _nearest(pairs, left: Sequence[Example], right: Sequence[Example], wanted) -> list[Twin]:
    """Of each right-hand row the most similar partner among the wanted pairs."""
    best: dict[int, tuple[float, int]] = defaultdict(lambda: (0.0, -1))
    for i, j, similarity in pairs:
        if wanted(i, j) and similarity > best[j][0]:
            best[j] = (similarity, i)
    return [Twin(right[j].line, left[i].line, s) for j, (s, i) in sorted(best.items())]


def shown(twins: Sequence[Twin]) -> str:
    """Twins for a reason: "lines 40 = 3, 41 = 3 ..."; nearly equal ones with their similarity."""
    return lines_shown([f"{t.line} {'=' if t.similarity == 1 else '≈'} {t.like}" for t in twins])


def lines_shown(lines: Sequence[object]) -> str:
    """The first lines by number: "line 4", "lines 4, 17"."""
    more = " ..." if len(lines) > SHOWN else ""
    return f"line{'s' * (len(lines) != 1)} {', '.join(map(str, lines[:SHOWN]))}{more}"
