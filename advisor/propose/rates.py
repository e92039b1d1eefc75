"""Where a provider's learning rates lie: the rate relative to which the prior is stated."""

from __future__ import annotations

import numpy as np

from advisor.nouns import SearchSpace

LEGACY = 0.5  # a multiplier that may not exceed this is on the legacy scale of 0.02 to 0.2
ABSOLUTE = 1e-4  # usual learning rate of LoRA tuning, where nothing else is known


def reference_rate(space: SearchSpace) -> float:
    """The provider's own rate: 1 for a multiplier, 0.1 on the legacy scale; absolute rates lie about their
    list's middle.
    """
    top = space.rate.values[-1] if space.rate.values else space.rate.high
    if space.rate_name == "learning_rate_multiplier":
        return 1.0 if top > LEGACY else 0.1
    if len(space.rate.values) > 2:
        return float(np.sqrt(space.rate.values[0] * space.rate.values[-1]))
    return float(space.rate.nearest(ABSOLUTE))
