"""The figures under the data rules: the near-duplicate search against its slow twin, losses against resampling."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.datacheck.losses import ExampleLoss, mean_and_error, read_losses, unusually_high
from advisor.datacheck.measure import SIMILAR
from advisor.datacheck.minhash import jaccard, near_pairs, normal, shingles
from advisor.records import RecordError

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "sk", "lm", "")]


def sentence(seed, n=12):
    return " ".join(np.random.default_rng(seed).choice(WORDS, n))


def test_near_pairs_finds_what_comparing_every_pair_finds():
    """The slow twin: Python sets over all pairs. Of many alike each is paired once, so rows are compared, not pairs."""
    rng = np.random.default_rng(3)
    texts = [sentence(i, 30) for i in range(60)]
    for i in range(60):
        words = texts[i].split()
        words[rng.integers(len(words))] = "changed"
        texts.append(" ".join(words))
    sets = [{normal(t)[k : k + 5] for k in range(len(normal(t)) - 4)} for t in texts]
    slow = {
        j
        for i, j in itertools.combinations(range(len(texts)), 2)
        if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= SIMILAR
    }
    fast = {j for _, j, _ in near_pairs(texts, SIMILAR)}
    assert fast == slow
    assert len(slow) > 30


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=5), st.text(min_size=5))
def test_jaccard_is_that_of_the_byte_shingles(a, b):
    def slow(t):
        data = normal(t).encode("utf-8", "replace").ljust(5, b"\0")
        return {data[i : i + 5] for i in range(len(data) - 4)}

    expected = len(slow(a) & slow(b)) / len(slow(a) | slow(b))
    assert jaccard(shingles(normal(a)), shingles(normal(b))) == pytest.approx(expected)


def test_the_standard_error_is_that_of_resampling():
    """Closed form for equal weights; with unequal ones a bootstrap of 4,000 resamples agrees within 5 %."""
    rng = np.random.default_rng(0)
    equal = [ExampleLoss(i, x, 1) for i, x in enumerate(rng.gamma(4, 0.5, 200))]
    values = np.array([e.loss for e in equal])
    assert mean_and_error(equal) == (
        pytest.approx(values.mean()),
        pytest.approx(values.std(ddof=1) / 200**0.5),
    )
    weight = rng.integers(1, 40, 200)
    uneven = [ExampleLoss(e.line, e.loss, w) for e, w in zip(equal, weight, strict=True)]
    draws = rng.integers(0, 200, (4000, 200))
    means = (values[draws] * weight[draws]).sum(1) / weight[draws].sum(1)
    assert mean_and_error(uneven)[1] == pytest.approx(means.std(), rel=0.05)


def test_losses_are_read_leniently_and_bad_lines_named_together():
    text = '{"line": 1, "loss": 2.5, "tokens": 30, "trained_tokens": 10}\n\n{"line": 2, "loss": NaN, "tokens": 3}\n'
    assert read_losses(text) == (ExampleLoss(1, 2.5, 10),)
    with pytest.raises(RecordError) as caught:
        read_losses('{"line": 1}\n{"loss": 2}\n3\nx\n{"line": 1e999, "loss": 1}', "l.jsonl")
    assert len(caught.value.problems) == 5
    assert unusually_high([ExampleLoss(1, 1, 1)] * 7) == []
