"""Counts, against the slow and obvious way."""

from __future__ import annotations

import json
import sys
from collections import Counter
from hashlib import sha1
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.data.stats import file_stats, quantiles
from tracker.data.tokens import PER_MESSAGE, URL, counter, estimate


def test_figures_of_a_small_file(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": "x" * 4 * n}, {"role": "assistant", "content": "y" * 8}]}
        for n in (1, 2, 6)
    ]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    stats = file_stats(path)
    assert (stats.n_examples, stats.n_bad_lines, stats.kind) == (3, 1, "chat")
    assert stats.tokens_by.startswith("estimate")
    lengths = [n + 2 + 2 * PER_MESSAGE for n in (1, 2, 6)]
    assert stats.tokens == sum(lengths)
    assert stats.example_tokens == {
        "min": lengths[0],
        "median": lengths[1],
        "p95": lengths[2],
        "max": lengths[2],
    }
    assert stats.answer_tokens["max"] == 2
    assert stats.roles == {"user": 3, "assistant": 3}
    assert stats.schema == {"with_system": 0, "multi_turn": 0, "with_tools": 0}


def test_estimate_rounds_up_and_counts_bytes():
    assert [estimate(text) for text in ("", "a", "abcd", "abcde", "日本")] == [0, 1, 1, 2, 2]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_quantiles_are_those_of_the_sorted_list(values):
    ordered = sorted(values)
    found = quantiles(Counter(values))
    assert (found["min"], found["max"]) == (ordered[0], ordered[-1])
    for name, share in (("median", 0.5), ("p95", 0.95)):
        assert found[name] == next(v for v in ordered if sum(w <= v for w in ordered) >= share * len(ordered))


class TestTiktoken:
    """A stand-in that counts words takes tiktoken's place: only whether it is asked is tested here."""

    @pytest.fixture
    def fake(self, monkeypatch, tmp_path):
        encoding = SimpleNamespace(encode=lambda text, disallowed_special: text.split())
        asked = []
        module = SimpleNamespace(get_encoding=lambda name: asked.append(name) or encoding)
        monkeypatch.setitem(sys.modules, "tiktoken", module)
        monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
        return asked

    def test_it_counts_where_its_file_is_there(self, fake, tmp_path):
        (tmp_path / sha1(URL.encode()).hexdigest()).write_bytes(b"ranks")
        found = counter()
        assert (found.how, found.count("three short words")) == ("tiktoken o200k_base", 3)

    def test_it_is_not_asked_where_it_would_download(self, fake):
        assert counter().how.startswith("estimate")
        assert fake == []
