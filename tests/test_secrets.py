"""What is a secret and what is a name: one table, kept by the two rooms that show other people's texts."""

from __future__ import annotations

import pytest

from advisor.tell.visible import visible
from tracker.scrub import masked, scrub

TAIL = "Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56Qr78"
SECRETS = [
    f"{mark}{TAIL}"
    for mark in ("sk-proj-", "sk-", "sk-ant-api03-", "pk-lf-", "rk-", "sk_live_", "nvapi-", "hf_", "fw_", "tgp_v1_")
] + [
    f"{mark}{TAIL}"
    for mark in ("ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "AIza", "xoxb-123456789012-", "eyJhbGciOiJIUzI1NiJ9.")
] + [
    "AKIA" + TAIL[:16].upper(),
    f"Bearer {TAIL}",
    "Authorization: Bearer abc.def.ghi",
    f"api_key={TAIL}",
    f"https://ann:{TAIL}@host:8/v1",
    f"https://host/f.jsonl?v=1&key={TAIL}",
]  # fmt: skip
NAMES = [
    "sk-learn-baseline-run",
    "pk-by-customer-run",
    "ftjob-abc123abc123abc123abc123",
    "hf_train_data_2024_v1.jsonl",
    "hf-train-data",
    "fw-baseline-7b-run",
    "task-1234567890123456",
    "ft:gpt-4o-mini-2024-07-18:personal::AbCdEf12",
    "meta-llama/Llama-3.1-8B-Instruct",
    "the bearer of news",
    "token_accuracy",
]


@pytest.mark.parametrize("show", [visible, masked, scrub], ids=["advisor", "tracker", "tracker's messages"])
class TestBoth:
    @pytest.mark.parametrize("secret", SECRETS)
    def test_secrets_are_masked(self, show, secret):
        shown = show(f"run {secret} of mine")
        assert not [part for part in (TAIL[4:], "def.ghi", TAIL[4:16].upper()) if part in shown], shown
        assert shown.startswith("run ")
        assert shown.endswith(" of mine")

    @pytest.mark.parametrize("name", NAMES)
    def test_names_stay(self, show, name):
        assert show(f"run {name} of mine") == f"run {name} of mine"
