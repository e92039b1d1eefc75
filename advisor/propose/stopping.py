"""When a further job is not worth its cost: nothing untried is likely to bring a gain that matters."""

from __future__ import annotations

import numpy as np

from advisor.propose.acquire import MATTERS, Worth, percent
from advisor.propose.calibration import came_true

EXPECTED = 0.01  # share of the gain that the best next job must be expected to bring; see experiments/LOG.md
FEWEST = 5  # jobs before which no loop is called finished: a few may all lie beside a valley


def stop_reason(worth: Worth, free: np.ndarray, n_ended: int) -> str | None:
    """Why no further job is worth its cost; None where one is."""
    if not free.any():
        return "every setting of the space that is within the budget has been tried, or is more of what overfitted or blew up"
    most = float(worth.improvement[free].max())
    if n_ended < FEWEST or most >= EXPECTED:
        return None
    chance = came_true(float(worth.chance[free].max()), n_ended)
    return (
        f"the best untried setting is expected to bring {most:.1%} of the attainable gain, and the chance of more "
        f"than {MATTERS:.0%} is {percent(chance)}: less than a job is worth"
    )
