"""Curves in, figures out: what every rule reads, and nothing of what is a lot."""

from advisor.measure.measurements import Measurements, measure
from advisor.measure.shape import Shape

__all__ = ["Measurements", "Shape", "measure"]
