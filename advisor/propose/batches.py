"""Losses of single batches: what a few of them say together, and how far luck may have made it."""

from __future__ import annotations

import numpy as np

WIDTH = 3  # losses that are taken together
# Standard errors of a difference by which a level must lie below the last one to be called the lower. Of 1,000 settled
# jobs with 40 batches each 10 % are said to have been better before (2: 17, 3: 5), with 300 batches 18 % (35, 7); of 400
# jobs that over the second half of 40 batches rose by three times the scatter 75 % (90, 62). To keep a settled job's
# middle costs nothing, a risen one's end does.
LUCK = 2.5
ENOUGH = 3  # third differences from which a swing is told
MAD_TO_SIGMA = 1.4826  # of a normal distribution
SECOND_DIFFERENCES = 6.0  # their variance over that of the points: 1 + 4 + 1
THIRD_DIFFERENCES = 20.0  # the same: 1 + 9 + 9 + 1


def levels(loss: np.ndarray) -> np.ndarray:
    """float[n]: the mean of each loss and those just before it, WIDTH in all where there are as many."""
    total = np.cumsum(np.insert(loss, 0, 0.0))
    first = np.maximum(np.arange(len(loss)) - WIDTH + 1, 0)
    last = np.arange(len(loss)) + 1
    return (total[last] - total[first]) / (last - first)


def swing(loss: np.ndarray) -> float:
    """Standard deviation of single losses around their course, by third differences, of which a smooth course
    leaves little.

    The later half alone: the fall at the beginning is too steep for them. 0 where there are too few points to
    tell.
    """
    jumps = np.abs(np.diff(loss, 3))
    if len(jumps) < ENOUGH:
        return 0.0
    late = jumps[-max(ENOUGH, len(jumps) // 2) :]
    return float(np.median(late) * MAD_TO_SIGMA / np.sqrt(THIRD_DIFFERENCES))


def doubt(loss: np.ndarray) -> float:
    """Standard error of the last level: by the swing of all losses, and no less than how far the last three lie from a
    line; of fewer than three it is not known, and taken to be as large as their level.
    """
    if len(loss) < WIDTH:
        return float(np.abs(loss).mean()) if len(loss) else 0.0
    bend = abs(float(loss[-1] - 2 * loss[-2] + loss[-3]))
    return max(swing(loss), bend / np.sqrt(SECOND_DIFFERENCES)) / np.sqrt(WIDTH)


def surely(loss: np.ndarray, whole: bool) -> float:
    """The last loss where each is of the `whole` set, else the last level and what it may owe to luck."""
    return float(loss[-1] if whole else levels(loss)[-1] + doubt(loss))


def lowest_by_then(loss: np.ndarray) -> np.ndarray:
    """float[n]: the lowest level of full width so far where it lies below the present one by more than luck, else
    the present one.
    """
    level = levels(loss)
    low = level.copy()
    low[WIDTH - 1 :] = np.minimum.accumulate(level[WIDTH - 1 :])
    return np.where(level - low > LUCK * np.sqrt(2) * doubt(loss), low, level)
