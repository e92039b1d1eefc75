"""The settings of a table: every combination of epochs, batch sizes and learning-rate multipliers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

Setting = tuple[int, int, float]  # n_epochs, batch_size, learning_rate_multiplier


@dataclass(frozen=True)
class Grid:
    """The values of each knob."""

    n_epochs: tuple[int, ...]
    batch_size: tuple[int, ...]
    learning_rate_multiplier: tuple[float, ...]

    def settings(self) -> list[Setting]:
        """Return every combination, the shortest jobs first, so that a table begun is soon of use."""
        return list(product(self.n_epochs, self.batch_size, self.learning_rate_multiplier))

    def epochs(self) -> int:
        """Return the passes over the training data that all its jobs take together."""
        return sum(n for n, _, _ in self.settings())


MULTIPLIERS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
GRIDS = {
    # 48 jobs, 192 epochs: enough to see the valley
    "quick": Grid((1, 3, 8), (4, 16), MULTIPLIERS),
    # 192 jobs, 992 epochs: the size of the benchmark's other tables
    "full": Grid((1, 2, 3, 5, 8, 12), (4, 8, 16, 32), MULTIPLIERS),
}
