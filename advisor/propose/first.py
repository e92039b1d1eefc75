"""The first job's setting, where no job has run but the data are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from advisor.nouns import HyperParameters, SearchSpace

EPOCHS_BY_EXAMPLES = ((100, 8), (300, 5), (2000, 3), (np.inf, 2))  # fewer examples need more passes


def first_setting(space: SearchSpace, context: dict[str, Any]) -> HyperParameters:
    """A concrete setting for the data's size: the provider's own learning rate, some hundred steps."""
    n = float(context.get("n_train_examples") or 500)
    epochs = next(e for limit, e in EPOCHS_BY_EXAMPLES if n <= limit)
    batch = 2 ** round(np.log2(np.clip(n / 60, 4, 64)))
    return HyperParameters(
        space.n_epochs.nearest(epochs),
        space.batch_size.nearest(batch),
        **{space.rate_name: float(space.rate.nearest(default_rate(space)))},
    )


def default_rate(space: SearchSpace) -> float:
    """The provider's own rate: 1 for a multiplier, 0.1 on the legacy scale, 1e-4 where the rate is absolute."""
    if space.rate_name == "learning_rate":
        return 1e-4
    return 0.1 if max(space.rate.values or (space.rate.high,)) <= 0.5 else 1.0
