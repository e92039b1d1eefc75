"""What to try next, when to stop, and which checkpoint to keep: over the whole history of a tuning loop."""

from advisor.propose.engine import propose
from advisor.propose.keeping import keep

__all__ = ["keep", "propose"]
