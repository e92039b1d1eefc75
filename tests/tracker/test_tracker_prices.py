"""Prices and end dates."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.errors import InputError
from tracker.estimate import estimate, estimated_cost
from tracker.jobs import JobRequest
from tracker.prices import SHIPPED, cost_usd, lifetime, price
from tracker.providers import find

GUIDE_MODELS = ["gpt-4o-mini", "gpt-3.5-turbo", "babbage-002", "davinci-002"]


@pytest.fixture(autouse=True)
def _no_user_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TRACKER_PRICES", str(tmp_path / "none.csv"))


@pytest.mark.parametrize("model", GUIDE_MODELS)
def test_the_guides_models_have_a_price_a_source_and_an_end(model):
    row = price("openai", model)
    assert row.model == model
    assert row.train_usd > 0
    assert row.source
    assert "20" in row.price_source  # of which year the price is
    assert row.no_jobs


def test_every_row_has_a_date_and_a_source():
    import csv

    rows = list(csv.DictReader(line for line in SHIPPED.open() if not line.startswith("#")))
    assert all(row["source"] and date.fromisoformat(row["as_of"]) for row in rows)


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4-0613", "gpt-4"),
        ("ft:gpt-3.5-turbo-0125:me::abc", "gpt-3.5-turbo"),
        ("something-else", "*"),
    ],
)
def test_snapshots_and_tuned_models_are_of_their_family(model, row):
    assert price("openai", model).model == row


def test_cost_is_tokens_times_price():
    assert cost_usd("openai", "gpt-4o-mini", 2_000_000) == pytest.approx(6.0)
    assert cost_usd("onprem", "embedded-tiny", 2_000_000) is None


@pytest.mark.parametrize(
    ("model", "today", "refused", "warned"),
    [
        ("gpt-4o-mini", date(2026, 11, 22), False, True),
        ("gpt-4o-mini", date(2027, 1, 6), True, True),
        ("gpt-4o-mini", date(2026, 1, 1), False, False),
        ("gpt-3.5-turbo-1106", date(2026, 11, 22), True, False),
        ("gpt-4o", date(2026, 11, 22), False, True),
        ("gpt-4o-2024-05-13", date(2026, 11, 22), True, False),
        ("gpt-4.1", date(2026, 11, 22), False, True),
        ("gpt-3.5-turbo", date(2026, 10, 22), False, True),
        ("gpt-3.5-turbo", date(2026, 10, 23), True, False),
        ("babbage-002", date(2026, 11, 22), False, True),
        ("davinci-002", date(2026, 11, 22), False, True),
        ("gpt-4.1", date(2027, 1, 14), True, False),
        ("babbage-002", date(2027, 1, 6), True, False),
        ("a-new-model", date(2027, 1, 6), True, False),
    ],
)
def test_models_are_refused_or_warned_of_by_date(model, today, refused, warned):
    refusals, warnings = lifetime("openai", model, today)
    assert (bool(refusals), bool(warnings)) == (refused, warned)


def test_the_users_own_rows_win(monkeypatch, tmp_path):
    own = tmp_path / "mine.csv"
    own.write_text(
        "provider,model,train_usd_per_million_tokens,no_jobs_from,shutdown,as_of,source\n"
        "openai,gpt-4o-mini,1.25,,,2026-11-01,our contract\n"
        "onprem,*,0.02,,,2026-11-01,electricity\n"
    )
    monkeypatch.setenv("TRACKER_PRICES", str(own))
    assert price("openai", "gpt-4o-mini").source == "our contract"
    assert lifetime("openai", "gpt-4o-mini", date(2027, 6, 1)) == ([], [])
    assert cost_usd("onprem", "embedded-tiny", 1e6) == pytest.approx(0.02)


def test_the_estimate_counts_tokens_times_epochs(train, monkeypatch):
    request = JobRequest(train, None, "gpt-4o-mini", {"n_epochs": 4})
    tokens, usd = estimated_cost(find("openai"), request)
    once, _ = estimated_cost(find("openai"), JobRequest(train, None, "gpt-4o-mini", {"n_epochs": 1}))
    assert tokens == 4 * once
    assert usd == pytest.approx(tokens * 3.0 / 1e6)


def test_an_estimate_for_a_retired_model_is_a_refusal(train):
    with pytest.raises(InputError, match="2026-10-23"):
        estimate(find("openai"), JobRequest(train, None, "gpt-3.5-turbo"))


def test_a_users_file_with_mistakes_is_told_by_line(monkeypatch, tmp_path):
    own = tmp_path / "mine.csv"
    own.write_text(
        "provider,model,train_usd_per_million_tokens,no_jobs_from,shutdown,as_of,source\n# ours\n"
        "openai,a,cheap,,,2026-11-01,our contract\nopenai,b,1,,,1.11.2026,our contract\n"
    )
    monkeypatch.setenv("TRACKER_PRICES", str(own))
    with pytest.raises(InputError) as caught:
        price("openai", "a")
    assert ["line 3" in caught.value.problems[0], "line 4" in caught.value.problems[1]] == [True, True]
