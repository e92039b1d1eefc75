"""Rows for the tests of the data rules, and what a rule says of them."""

import numpy as np

from advisor.datacheck import check

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "sk", "lm", "")]


def sentence(seed, n=12):
    return " ".join(np.random.default_rng(seed).choice(WORDS, n))


def pairs(texts, start=1):
    return [(i, {"prompt": p, "completion": a}, None) for i, (p, a) in enumerate(texts, start)]


def varied(n, seed=0):
    return pairs([(sentence(seed + 2 * i), sentence(seed + 2 * i + 1)) for i in range(n)])


def finding(rule, train, valid=None, **more):
    return next(f for f in check(train, valid, **more).findings if f.rule == rule)
