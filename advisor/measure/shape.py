"""The shape of a loss curve in figures: levels, fall, rise, swings, and the noise they must stand above.

A curve is read as the eye reads it: in at most `PARTS` equal parts, along a line that falls to one lowest point and
may rise from there. What that line leaves over is the noise. Knows nothing of rules or of what is a lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.measure.chance import told_from_noise
from advisor.measure.series import Series

PARTS = (
    16  # parts that a curve is read in; the eye tells no more on a plot, and short curves have fewer points
)
SPIKED = 12  # parts from which on one part is taken for an outlier where its neighbours agree against it
EQUAL = 1e-12  # squared distances, relative to the highest level, that differ by less are the same
SAME_LEVEL = 1e-9  # of the highest level
TINY = 1e-300  # keeps a curve of zeros from a division by zero
LATE = 2 / 3  # where the last part of a run begins, as a share of its steps
ABS_TO_SIGMA = 1.2533  # sqrt(pi / 2): the standard deviation of normal noise over its mean absolute value
MEDIAN_TO_SIGMA = 1.4826  # the same over its median absolute value


@dataclass(frozen=True, eq=False)
class Shape:
    """One curve in figures. Losses in nats per token (or whatever was logged), shares from 0 to 1."""

    step: np.ndarray  # float[parts], mean step of each part
    line: np.ndarray  # float[parts], the line's level there
    n: int  # measurable points
    first: float  # the first point
    start: float  # level of the first part
    best: float  # lowest level of the line
    best_step: float  # where that stands
    lowest: float  # the lowest point, as logged
    lowest_step: float  # where that stands
    end: float  # level of the last part
    top: float  # highest level of the line
    peak: float  # highest level of a part, a single outlier apart
    peak_step: float  # where that stands
    mean: float  # of the line over the run
    noise: float  # standard deviation of single points around the line
    noise_of_level: float  # the same for a level (a mean over a part)
    fall: float  # from the start to the best level
    rise: float  # from the best level to the end
    late_fall: float  # by how much the line falls over the last third of the steps (negative: rises)
    last_fall: (
        float  # the same over the last fifth, no more than the last half's course bears out; at least 0
    )
    swing: float  # mean distance of the points from the line, after the first part (a steep drop is no swing)
    swing_of_level: float = (
        0.0  # the same of the parts' levels: scatter averages out in them, a slow swing does not
    )
    told: bool | None = None  # whether it has a course that noise alone has not; None: too few points to tell

    @property
    def jump(self) -> float:
        """By how much the peak, where it stands in the first half, exceeds the first point: a share of that."""
        early = self.peak_step < (self.step[0] + self.step[-1]) / 2
        return (self.peak - self.first) / abs(self.first) if early and self.first else 0.0

    def at(self, step: float) -> float:
        """The line's level at a step; that of the nearer end outside the curve."""
        return float(np.interp(step, self.step, self.line))


def shape(series: Series) -> Shape | None:
    """Measure a cleaned series; None where it has fewer than two points."""
    if len(series) < 2:
        return None
    step, means, size = _parts(series)
    level = _without_spikes(means)
    line, turn = _line(level)
    left_over = (series.loss - np.interp(series.step, step, line))[series.step >= step[1]]
    noise = _noise(series.loss, left_over, _levels(line))
    best = float(line[turn])
    noise_of_level = noise / np.sqrt(size)
    half, late, last = np.interp(step[0] + np.array([1 / 2, LATE, 4 / 5]) * np.ptp(step), step, line)
    end = float(line[-1])
    return Shape(
        step=step,
        line=line,
        n=len(series),
        first=float(series.loss[0]),
        start=float(line[0]),
        best=best,
        best_step=float(step[turn]),
        lowest=float(series.loss.min()),
        lowest_step=float(series.step[series.loss.argmin()]),
        end=end,
        top=float(line.max()),
        peak=float(level.max()),
        peak_step=float(step[np.argmax(level)]),
        mean=float(line.mean()),
        noise=noise,
        noise_of_level=float(noise_of_level),
        fall=float(line[0]) - best,
        rise=end - best,
        late_fall=float(late) - end,
        last_fall=_last_fall(half - end, last - end, noise_of_level),
        swing=float(np.mean(np.abs(left_over))),
        swing_of_level=float(np.mean(np.abs(means - line)[1:])),
        told=told_from_noise(series.loss, noise),
    )


def _last_fall(over_half: float, over_fifth: float, noise_of_level: float) -> float:
    """The fall over the last fifth of the steps that the eye believes.

    A fall that slows down has at most two fifths of its last half's fall in its last fifth: what goes beyond is one
    low point at the end. Nothing where the last half itself falls by no more than its noise.
    """
    if over_half <= noise_of_level:
        return 0.0
    return float(max(min(over_fifth, 0.4 * over_half), 0.0))


def _parts(series: Series) -> tuple[np.ndarray, np.ndarray, float]:
    """Means over equal numbers of points: steps, levels, and how many points stand in a part."""
    n = min(PARTS, len(series))
    edges = np.linspace(0, len(series), n + 1).round().astype(int)[:-1]
    count = np.diff(np.append(edges, len(series)))
    return (
        np.add.reduceat(series.step, edges) / count,
        np.add.reduceat(series.loss, edges) / count,
        len(series) / n,
    )


def _without_spikes(level: np.ndarray) -> np.ndarray:
    """Running median of three, so that one outlier makes neither a best level nor a rise.

    The first part stays, for the early drop is real; the last follows Tukey's end-point rule: the median of itself, of
    its neighbour, and of where the two parts before it point. Short curves stay whole.
    """
    if len(level) < SPIKED:
        return level
    out = level.copy()
    out[1:-1] = np.median([level[:-2], level[1:-1], level[2:]], axis=0)
    out[-1] = np.median([level[-1], out[-2], 3 * out[-2] - 2 * out[-3]])
    return out


def _line(level: np.ndarray) -> tuple[np.ndarray, int]:
    """The line that falls and then rises, with the least squared distance; and where it turns."""
    best, least, scale = level, np.inf, max(float(np.abs(level).max()), TINY)
    for i in range(len(level)):
        fit = np.append(
            -_rising(-level[: i + 1]),
            _rising(level[i + 1 :]),
        )
        error = float(np.sum(((fit - level) / scale) ** 2))
        if error < least - EQUAL:  # the earliest of equals: rounding must not choose
            best, least = fit, error
    return best, int(np.argmin(best))


def _rising(level: np.ndarray) -> np.ndarray:
    """Isotonic regression by pooling neighbours out of order (scipy's costs a third of the advisor's start-up)."""
    total: list[float] = []
    count: list[int] = []
    for value in level.tolist():
        total.append(value)
        count.append(1)
        while len(total) > 1 and total[-2] * count[-1] >= total[-1] * count[-2]:
            last, n = total.pop(), count.pop()
            total[-1] += last
            count[-1] += n
    return np.repeat(np.divide(total, count), count)


def _levels(line: np.ndarray) -> int:
    """How many levels the line has; those that differ by rounding alone count as one."""
    return 1 + int(np.count_nonzero(np.abs(np.diff(line)) > SAME_LEVEL * np.abs(line).max()))


def _noise(loss: np.ndarray, left_over: np.ndarray, n_levels: int) -> float:
    """Standard deviation of single points: the smaller of two estimates, for each reads a bend as noise.

    The mean distance from the line (a part of a steep curve has a wide spread), corrected for the levels that the
    line was free to choose; and the median distance of a point from the middle of its neighbours, whose variance is
    1.5 times that of a point.
    """
    n = len(left_over)
    around = ABS_TO_SIGMA * float(np.mean(np.abs(left_over))) * np.sqrt(n / max(n - n_levels, 1))
    if len(loss) < 5:
        return around
    bend = loss[1:-1] - (loss[:-2] + loss[2:]) / 2
    return min(around, MEDIAN_TO_SIGMA * float(np.median(np.abs(bend))) / np.sqrt(1.5))
