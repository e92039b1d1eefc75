"""What is being tuned for, as a number of which less is better."""

from __future__ import annotations

LOSSES = ("loss", "error", "perplexity", "nll", "cer", "wer", "mae", "mse", "rmse")


def sign(metric: str) -> int:
    """1 where less is better (losses, errors), -1 where more is (accuracies, scores)."""
    return 1 if any(word in metric.lower() for word in LOSSES) else -1
